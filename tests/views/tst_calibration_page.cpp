// The Calibration page: spans as characters and tokens, patterns, undo, params of the run. SPD_ANSWERS (a
// folder of an engine's answers): spans are compared with the engine's; with SPD_SCREENSHOTS: pictures.

#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTest>
#include <cstdio>

#include "core/protocol/message.h"
#include "views/calibration/calibration_page.h"
#include "views/calibration/examples/examples_model.h"
#include "views/calibration/findings.h"
#include "views/calibration/run_bar.h"
#include "views/calibration/source_bar.h"
#include "views/calibration/spans/span_editor.h"
#include "views/shared/table/table_view.h"
#include "views/shared/theme.h"
#include "views/shared/token_view/token_view.h"

using namespace spd;
using nlohmann::ordered_json;
using protocol::CharRange;
using protocol::ExampleList;
using protocol::ExampleRow;

namespace {

/// BOS, "Q:", then one token a character of the completion; its span is the last character.
ordered_json exampleJson(const std::string& id, const std::string& completion = " 4+8=12") {
    ordered_json ids = {1, 7}, texts = {"<s>", "Q:"};
    for (const char character : completion) {
        ids.push_back(100 + character);
        texts.push_back(std::string(1, character));
    }
    const auto length = static_cast<int64_t>(completion.size());
    return {{"id", id},
            {"prompt", "Q:"},
            {"completion", completion},
            {"spans", {{length - 1, length}}},
            {"problem", nullptr},
            {"ids", ids},
            {"texts", texts},
            {"prompt_tokens", 2},
            {"targets", {length + 1}}};
}

ExampleList listOf(int count) {
    ordered_json rows = ordered_json::array();
    for (int i = 0; i < count; ++i)
        rows.push_back(exampleJson("set/train/" + std::to_string(i)));
    rows.push_back({{"id", "set/train/bad"}, {"problem", "no number after ####"}});
    return ExampleList::fromJson(
        {{"examples", rows},
         {"total", count + 1},
         {"usable", count},
         {"overlap",
          {{"training_prompts", 100},
           {"also_trained_on", 3},
           {"leaks",
            {{{"task", "gsm8k"}, {"message", "2 prompts are asked too"}, {"details", {"a", "b"}}}}}}}});
}

ordered_json readAnswer(const QString& name) {
    QFile file(qEnvironmentVariable("SPD_ANSWERS") + u'/' + name + QStringLiteral(".json"));
    if (!file.open(QIODevice::ReadOnly))
        return nullptr;
    return ordered_json::parse(file.readAll().toStdString());
}

std::vector<CharRange> spans(const QString& pattern, SpanPattern::Which which, const std::string& text) {
    return spansByPattern({.pattern = pattern, .which = which}, text);
}

}  // namespace

class tst_CalibrationPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void charactersAreTokens() {
        const ExampleRow row = ExampleRow::fromJson(exampleJson("a"));
        const std::vector<CharRange> ranges = completionRanges(row);
        QCOMPARE(ranges.size(), row.ids.size());
        QVERIFY(ranges[0].begin == ranges[0].end && ranges[1].begin == ranges[1].end);
        QVERIFY((ranges[2] == CharRange{0, 1}) && (ranges.back() == CharRange{6, 7}));
        QCOMPARE(targetsOf(ranges, {{5, 7}}), (std::vector<int64_t>{7, 8}));
        QCOMPARE(targetsOf(ranges, row.spans), row.targets);
        QVERIFY(runsOf({3, 4, 5, 9}) == (std::vector<TokenSpan>{{3, 6}, {9, 10}}));
    }

    void piecesOfACharacterBelongToIt() {
        ordered_json json = exampleJson("a", "x");
        json["completion"] = "é!";  // its bytes are two tokens
        json["ids"] = {1, 7, 8, 9, 10};
        json["texts"] = {"<s>", "Q:", "", "é", "!"};
        json["targets"] = {2, 3};
        const ExampleRow row = ExampleRow::fromJson(json);
        QCOMPARE(targetsOf(completionRanges(row), {{0, 1}}), (std::vector<int64_t>{2, 3}));
        json["texts"][3] = "e";  // a tokenizer that strips accents: no places
        QVERIFY(completionRanges(ExampleRow::fromJson(json)).empty());
    }

    void spansAreEdited() {
        const ExampleRow row = ExampleRow::fromJson(exampleJson("a"));
        const std::vector<CharRange> ranges = completionRanges(row);
        const SpanChoice now{.chars = row.spans, .targets = row.targets};
        const SpanChoice set = choose(row, ranges, now, 3, 4, false);
        QVERIFY(set.chars == (std::vector<CharRange>{{1, 3}}) && set.targets == (std::vector<int64_t>{3, 4}));
        const SpanChoice added = choose(row, ranges, now, 3, 4, true);
        QVERIFY(added.chars == (std::vector<CharRange>{{1, 3}, {6, 7}}));
        QVERIFY(choose(row, ranges, now, 0, 1, false) == now);  // the prompt
        QVERIFY((choose(row, ranges, now, 0, 2, false).targets == std::vector<int64_t>{2}));
        const SpanChoice removed = remove(row, ranges, added, 4, 8);
        QVERIFY(removed.chars == (std::vector<CharRange>{{1, 2}}));
        QVERIFY(normalized({{5, 5}, {3, 4}, {1, 3}}) == (std::vector<CharRange>{{1, 4}}));
        ExampleRow tokens = row;
        tokens.has_text = false;
        QVERIFY((choose(tokens, {}, now, 0, 2, true).targets == std::vector<int64_t>{1, 2, 8}));
        QVERIFY((remove(tokens, {}, now, 8, 8).targets.empty()));
    }

    void patternsFindSpans() {
        using Which = SpanPattern::Which;
        const std::string text = "é 12\n#### 48\n#### 5";
        QVERIFY(spans(QStringLiteral("#### (\\d+)$"), Which::last, text) ==
                (std::vector<CharRange>{{18, 19}}));
        QVERIFY(spans(QStringLiteral("#### (\\d+)$"), Which::first, text) ==
                (std::vector<CharRange>{{10, 12}}));
        QVERIFY(spans(QStringLiteral("\\d+"), Which::all, text) ==
                (std::vector<CharRange>{{2, 4}, {10, 12}, {18, 19}}));
        QVERIFY(spans(QStringLiteral("z*"), Which::all, text).empty());
        QVERIFY(spans(QStringLiteral("b"), Which::last,
                      "\xf0\x9f\x98\x80"
                      "b") == (std::vector<CharRange>{{1, 2}}));
        QVERIFY(!SpanPattern{.pattern = QStringLiteral("(")}.problem().isEmpty());
        QVERIFY(!SpanPattern{}.problem().isEmpty());
    }

    void paramsAreTheOptions() {
        CalibrationChoice choice;
        const ordered_json run = runParams(choice, "m", nullptr);
        QVERIFY(run == ordered_json::parse(R"({"model":"m","task":"math","n":50,"seed":42,"layers":"all",
            "loss":"aligned","site":"proj","per_head":false,"dtype":"float32"})"));
        QVERIFY(examplesParams(choice, "m", 500)["from"] == 500);
        QCOMPARE(
            commandLine(choice, "m", false),
            QStringLiteral("spd calibrate m --task math --n 50 --seed 42 --layers all --out calibration"));
        choice.task.clear();
        choice.path = "/a b/it's.jsonl";
        QVERIFY(commandLine(choice, "m", false).contains(QStringLiteral("'/a b/it'\\''s.jsonl'")));
        QVERIFY(problemOf(choice, "m", 3).isEmpty() && !problemOf(choice, "", 3).isEmpty());
        choice.layers = "11;23";
        QVERIFY(!problemOf(choice, "m", 3).isEmpty());
    }

    void lengthsAreCounted() {
        const auto [x, y] = barOutline({{1, 4}, {2, 3}, {5, 1}});
        QVERIFY(std::is_sorted(x.begin(), x.end()) && x.size() == y.size());
        QCOMPARE(y, (std::vector<double>{0, 4, 4, 3, 3, 0, 0, 1, 1, 0}));
        QVERIFY(barOutline({}).first.empty());
    }

    void examplesAreListed() {
        ExamplesModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        std::vector<Example> examples;
        for (ExampleRow& row : listOf(3).examples)
            examples.push_back(exampleOf(row));
        model.setExamples(examples);
        model.append({exampleOf(ExampleRow::fromJson(exampleJson("more")))});
        QCOMPARE(model.rowCount(), 5);
        QCOMPARE(model.index(0, ExamplesModel::span).data().toString(), QStringLiteral("2"));
        QVERIFY(model.index(3, ExamplesModel::id).data(Qt::CheckStateRole).isNull());
        model.setMeasured("more", 1.5, 0.25);
        model.setMeasured("nobody", 9, 9);
        QCOMPARE(model.index(4, ExamplesModel::loss).data().toString(), QStringLiteral("1.50"));
        QVERIFY(!model.setData(model.index(3, 0), Qt::Checked, Qt::CheckStateRole));
    }

    void editsAreUndone() {
        CalibrationPage page;
        page.setModel(QStringLiteral("m"));
        page.setExamples(listOf(4), 0);
        auto* model = page.findChild<ExamplesModel*>();
        auto* editor = page.findChild<SpanEditor*>();
        Q_EMIT editor->chosen(3, 5, false);
        QCOMPARE(model->at(0).choice.span.targets, (std::vector<int64_t>{3, 4, 5}));
        Q_EMIT editor->removed(4, 4);
        QCOMPARE(model->at(0).choice.span.targets, (std::vector<int64_t>{3, 5}));
        Q_EMIT editor->chosen(0, 1, false);  // the prompt: nothing happens
        QCOMPARE(page.undoStack()->count(), 2);
        QVERIFY(model->setData(model->index(1, 0), Qt::Unchecked, Qt::CheckStateRole));
        QCOMPARE(countsOf(model->examples()).picked, int64_t{3});
        QSignalSpy run(&page, &CalibrationPage::runWanted);
        Q_EMIT page.findChild<RunBar*>()->runWanted();
        const auto params = run.last().first().value<ordered_json>();
        QCOMPARE(params["examples"].size(), size_t{3});
        QVERIFY(params["examples"][0]["spans"] == ordered_json::parse("[[1,2],[3,4]]"));
        QVERIFY(!params.contains("task"));
        while (page.undoStack()->canUndo())
            page.undoStack()->undo();
        QVERIFY(asTheyCame(model->examples()));
        Q_EMIT page.findChild<RunBar*>()->runWanted();
        QVERIFY(run.last().first().value<ordered_json>()["task"] == "math");
    }

    void aPatternIsOneStep() {
        CalibrationPage page;
        page.setModel(QStringLiteral("m"));
        page.setExamples(listOf(200), 0);
        auto* model = page.findChild<ExamplesModel*>();
        Q_EMIT page.findChild<SpanEditor*>()->patternWanted({.pattern = QStringLiteral("=(\\d+)$")});
        QTRY_COMPARE(page.undoStack()->count(), 1);
        QCOMPARE(model->at(150).choice.span.targets, (std::vector<int64_t>{7, 8}));
        page.undoStack()->undo();
        QCOMPARE(countsOf(model->examples()).edited, int64_t{0});
    }

    void moreRowsAreAskedFor() {
        CalibrationPage page;
        page.setModel(QStringLiteral("m"));
        QSignalSpy wanted(&page, &CalibrationPage::examplesWanted);
        Q_EMIT page.findChild<SourceBar*>()->loadWanted();
        QVERIFY(wanted.last().first().value<ordered_json>()["from"] == 0);
        ExampleList list = listOf(3);
        list.total = 6;
        page.setExamples(list, 0);
        QCOMPARE(wanted.count(), 2);
        QVERIFY(wanted.last().first().value<ordered_json>()["from"] == 4);
        page.setExamples({.examples = {}, .total = 6, .usable = 3, .overlap = {}}, 4);
        QCOMPARE(wanted.count(), 2);  // an engine that has no more is not asked forever
    }

    void anotherTokenizerCutsAgain() {
        CalibrationPage page;
        page.setModel(QStringLiteral("m"));
        QSignalSpy wanted(&page, &CalibrationPage::examplesWanted);
        Q_EMIT page.findChild<SourceBar*>()->loadWanted();
        page.setExamples(listOf(3), 0);
        page.setModel(QStringLiteral("other"));
        QCOMPARE(wanted.count(), 2);
        QVERIFY(wanted.last().first().value<ordered_json>()["model"] == "other");
        page.setExamples(listOf(3), 0);
        Q_EMIT page.findChild<SpanEditor*>()->chosen(3, 5, false);
        page.setModel(QStringLiteral("m"));
        QCOMPARE(wanted.count(), 2);  // a person's edits are not thrown away unasked
        QCOMPARE(page.undoStack()->count(), 1);
    }

    void manyExamplesAreFluent() {
        CalibrationPage page;
        page.resize(850, 560);
        page.setModel(QStringLiteral("m"));
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        const ExampleList list = listOf(100000);
        std::vector<Example> examples;
        for (const ExampleRow& row : list.examples)
            examples.push_back(exampleOf(row));
        auto* model = page.findChild<ExamplesModel*>();
        model->setExamples(examples);
        TableView* table = nullptr;
        for (TableView* one : page.findChildren<TableView*>())
            table = one;
        const auto measure = [](const char* what, const auto& work) {
            QElapsedTimer timer;
            timer.start();
            work();
            QCoreApplication::processEvents();
            std::printf("measured: 100,000 examples: %s in %.1f ms\n", what,
                        static_cast<double>(timer.nsecsElapsed()) * 1e-6);
        };
        measure("searched", [&] { table->setSearch(QStringLiteral("train/777")); });
        measure("sorted by |S|", [&] { table->sortByColumn(ExamplesModel::targets, Qt::AscendingOrder); });
        table->setSearch({});
        table->setCurrentRow(5);
        measure("span edited", [&] { Q_EMIT page.findChild<SpanEditor*>()->chosen(3, 5, false); });
        QCOMPARE(page.undoStack()->count(), 1);
        measure("sorted by |S|", [&] { table->sortByColumn(ExamplesModel::targets, Qt::DescendingOrder); });
        measure("next example", [&] { table->moveBy(1); });
    }

    /// Every span that the engine marked, found again by the window's own rule.
    void spansAreThoseOfTheEngine() {
        int compared = 0;
        for (const char* task : {"math", "code", "qa"}) {
            const ordered_json json = readAnswer(QStringLiteral("examples_") + QLatin1String(task));
            if (json.is_null())
                QSKIP("SPD_ANSWERS is not set");
            for (const ExampleRow& row : ExampleList::fromJson(json).examples) {
                if (row.ids.empty())
                    continue;
                ++compared;
                QCOMPARE(targetsOf(completionRanges(row), row.spans), row.targets);
            }
        }
        std::printf("measured: %d spans are those of the engine\n", compared);
        QVERIFY(compared > 100);
    }

    void pictures() {
        const QString folder = qEnvironmentVariable("SPD_SCREENSHOTS");
        if (folder.isEmpty() || readAnswer(QStringLiteral("tasks")).is_null())
            QSKIP("SPD_ANSWERS and SPD_SCREENSHOTS are not set");
        Theme theme(*qApp);
        for (const auto& [choice, name] :
             {std::pair{ThemeChoice::light, "light"}, std::pair{ThemeChoice::dark, "dark"}}) {
            theme.choose(choice);
            CalibrationPage page;
            page.resize(850, 560);
            QVERIFY2(page.minimumSizeHint().width() <= 850, "wider than its place in a window of 1280");
            page.setTasks(protocol::TaskList::fromJson(readAnswer(QStringLiteral("tasks"))));
            page.setModel(QStringLiteral("smollm2-135m-instruct"));
            page.show();
            const auto save = [&](const char* what) {
                QTest::qWait(200);
                page.grab().save(QStringLiteral("%1/calibration_%2_%3.png")
                                     .arg(folder, QLatin1String(what), QLatin1String(name)));
            };
            save("empty");
            for (const char* task : {"code", "qa", "math"}) {
                CalibrationChoice wanted;
                wanted.task = task;
                page.setChoice(wanted);
                Q_EMIT page.findChild<SourceBar*>()->loadWanted();
                page.setExamples(
                    ExampleList::fromJson(readAnswer(QStringLiteral("examples_") + QLatin1String(task))), 0);
                save(task);
            }
            page.findChild<TokenView*>()->setFocus();
            Q_EMIT page.findChild<SpanEditor*>()->chosen(70, 76, true);
            page.findChild<QTabWidget*>()->setCurrentIndex(2);
            save("leakage");
            page.setRunning(true);
            const auto* model = page.findChild<ExamplesModel*>();
            for (int i = 0; i < 31; ++i)
                page.addPoint({{"step", i},
                               {"id", model->at(i).row.id},
                               {"loss", 1.2 + std::sin(i)},
                               {"gradient_norm", 0.4 + 0.2 * std::cos(i)}});
            page.setProgress({.progress = {.phase = "calibrate", .done = 31, .total = 50},
                              .rate = 0.9,
                              .seconds_left = 21});
            save("running");
        }
    }
};

QTEST_MAIN(tst_CalibrationPage)
#include "tst_calibration_page.moc"
