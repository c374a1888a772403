// The Model page: answers read from JSON, the list, the load report with oddities first, memory, the wishes
// that the page tells. SPD_ANSWERS (a folder of an engine's answers) and SPD_SCREENSHOTS: pictures.

#include <QAbstractItemModelTester>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QFile>
#include <QLineEdit>
#include <QMimeData>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTabWidget>
#include <QTest>
#include <cstdio>

#include "core/protocol/message.h"
#include "views/model/load_report_model.h"
#include "views/model/memory_bars.h"
#include "views/model/model_page.h"
#include "views/model/models_model.h"
#include "views/model/try/text_tokens_model.h"
#include "views/model/try/try_messages.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/table/table_view.h"
#include "views/shared/theme.h"

using namespace spd;
using nlohmann::ordered_json;
using protocol::ModelInspection;
using protocol::ModelList;

namespace {

ordered_json listJson() {
    const auto model = [](const char* name, const char* source, int64_t bytes, const char* problem) {
        return ordered_json{
            {"model", name},  {"source", source},          {"folder", std::string("/models/") + name},
            {"revision", ""}, {"dtype", "bfloat16"},       {"architecture", "Qwen2ForCausalLM"},
            {"bytes", bytes}, {"complete", *problem == 0}, {"problem", problem}};
    };
    return {{"models",
             {model("tiny", "workspace", 1000, ""), model("Qwen/Qwen2.5-0.5B", "hub", 988097824, ""),
              model("Qwen/Qwen2.5-7B", "hub", 9000000000, "model-00002-of-00004.safetensors is missing")}},
            {"folder", "/ws/models"},
            {"cache", "/home/someone/.cache/huggingface/hub"},
            {"resident", nullptr}};
}

ordered_json tensorJson(const std::string& name, const char* state) {
    return {{"name", name},       {"state", state},          {"dtype", "BF16"},
            {"shape", {64, 576}}, {"file", "a.safetensors"}, {"expected_shape", {64, 64}}};
}

ordered_json inspectionJson(int found = 3) {
    ordered_json tensors = ordered_json::array();
    for (int i = 0; i < found; ++i)
        tensors.push_back(tensorJson("model.layers." + std::to_string(i) + ".weight", "found"));
    tensors.push_back(tensorJson("model.norm.weight", "wrong_shape"));
    tensors.push_back(tensorJson("extra", "unused"));
    return {{"model", {{"id", "tiny"}, {"folder", "/ws/models/tiny"}, {"revision", ""}}},
            {"loads", true},
            {"refusals", ordered_json::array()},
            {"oddities", {"2 tensors are unused"}},
            {"architecture", "LlamaForCausalLM"},
            {"parameters", 134515008},
            {"tied", true},
            {"rope", {{"kind", "default"}, {"theta", 100000.0}}},
            {"config", {{"num_hidden_layers", 30}, {"hidden_size", 576}}},
            {"tokenizer", nullptr},
            {"memory",
             {{"dtype", "bfloat16"},
              {"context", 2048},
              {"slots", 8},
              {"weights_bytes", int64_t{1} << 30},
              {"kv_cache_bytes_per_slot", int64_t{1} << 20},
              {"generate_bytes", int64_t{2} << 30},
              {"calibrate_bytes", int64_t{5} << 30},
              {"train_bytes", int64_t{3} << 30}}},
            {"tensors", tensors},
            {"machine",
             {{"processor", "x"},
              {"threads", 2},
              {"load", 0.5},
              {"memory_total", int64_t{8} << 30},
              {"memory_available", int64_t{4} << 30},
              {"gpu_driver", ""},
              {"gpus", ordered_json::array()}}}};
}

TableView* tableOf(const QWidget& page, const QString& name) {
    for (TableView* table : page.findChildren<TableView*>())
        if (table->accessibleName() == name)
            return table;
    return nullptr;
}

ordered_json readAnswer(const QString& name) {
    QFile file(qEnvironmentVariable("SPD_ANSWERS") + u'/' + name + QStringLiteral(".json"));
    if (!file.open(QIODevice::ReadOnly))
        return nullptr;
    return ordered_json::parse(file.readAll().toStdString());
}

void fill(ModelPage& page) {
    ordered_json models = readAnswer(QStringLiteral("models"));
    const ordered_json others = listJson();
    for (const ordered_json& more : others["models"])
        models["models"].push_back(more);
    models["resident"] = {{"model", models["models"][0]["model"]},
                          {"revision", ""},
                          {"dtype", "bfloat16"},
                          {"bytes", 269030016}};
    page.setModels(ModelList::fromJson(models));
    page.setInspection(page.model(), ModelInspection::fromJson(readAnswer(QStringLiteral("inspect"))));
    page.setTokens(page.model(), protocol::TokenizedText::fromJson(readAnswer(QStringLiteral("tokenize"))));
    page.setRendered(page.model(),
                     protocol::RenderedMessages::fromJson(readAnswer(QStringLiteral("render"))));
}

}  // namespace

class tst_ModelPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answersAreRead() {
        const ModelList list = ModelList::fromJson(listJson());
        QCOMPARE(list.models.size(), size_t{3});
        QVERIFY(!list.models[2].complete && !list.resident);
        const ModelInspection found = ModelInspection::fromJson(inspectionJson());
        QCOMPARE(found.tensors.size(), size_t{5});
        QCOMPARE(found.memory->sequences, int64_t{8});
        QVERIFY(std::find(found.facts.begin(), found.facts.end(),
                          std::pair<std::string, std::string>("rope", "kind default, theta 100000")) !=
                found.facts.end());
        const ModelInspection refused = ModelInspection::fromJson(
            {{"model", {{"id", "x"}}}, {"loads", false}, {"refusals", {"no config.json"}}});
        QVERIFY(!refused.loads && !refused.memory && refused.facts.empty());
        ordered_json broken = inspectionJson();
        broken["memory"].erase("train_bytes");
        QVERIFY_THROWS_EXCEPTION(protocol::Refusal, ModelInspection::fromJson(broken));
        broken = listJson();
        broken["models"] = 3;
        QVERIFY_THROWS_EXCEPTION(protocol::Refusal, ModelList::fromJson(broken));
        QVERIFY_THROWS_EXCEPTION(protocol::Refusal,
                                 protocol::TokenTexts::fromJson({{"ids", {1, 2}}, {"texts", {"a"}}}));
        QVERIFY_THROWS_EXCEPTION(
            protocol::Refusal,
            protocol::TokenizedText::fromJson({{"ids", {1}}, {"texts", {"a"}}, {"ranges", {{3, 1}}}}));
    }

    void modelsAreListed() {
        ModelsModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setModels(ModelList::fromJson(listJson()).models);
        const auto cell = [&](int row, int column) { return model.index(row, column).data().toString(); };
        QCOMPARE(cell(1, ModelsModel::source), QStringLiteral("HF cache"));
        QCOMPARE(cell(1, ModelsModel::family), QStringLiteral("Qwen2"));
        QCOMPARE(cell(1, ModelsModel::size), QStringLiteral("0.920 GiB"));
        QCOMPARE(cell(0, ModelsModel::state), QStringLiteral("complete"));
        QVERIFY(cell(2, ModelsModel::state).contains(QStringLiteral("00002")));
        QCOMPARE(model.rowOf(QStringLiteral("tiny")), 0);
        QCOMPARE(shortModelName(QStringLiteral("/a/b/c/")), QStringLiteral("c"));
        QCOMPARE(shortModelName(QStringLiteral("Qwen/Qwen2.5-0.5B")), QStringLiteral("Qwen/Qwen2.5-0.5B"));
    }

    void odditiesComeFirst() {
        const std::vector<ReportRow> rows = reportRows(ModelInspection::fromJson(inspectionJson()));
        QVERIFY(std::is_sorted(rows.begin(), rows.end(),
                               [](const ReportRow& a, const ReportRow& b) { return a.kind < b.kind; }));
        QCOMPARE(rows[0].state, QStringLiteral("note"));
        QCOMPARE(rows[1].state, QStringLiteral("wrong shape"));
        QVERIFY(rows[1].text.contains(QStringLiteral("expected 64 \u00d7 64")));
        QCOMPARE(rows.back().state, QStringLiteral("found"));
        LoadReportModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setRows(rows);
        QCOMPARE(model.rowCount(), static_cast<int>(rows.size()));
        QVERIFY(reportSummary(ModelInspection::fromJson(inspectionJson())).contains(QStringLiteral("2 odd")));
    }

    void memoryIsComparedWithTheMachine() {
        const ModelInspection found = ModelInspection::fromJson(inspectionJson());
        const std::vector<MemoryStage> stages = memoryStages(found);
        QCOMPARE(stages.size(), size_t{4});
        QVERIFY(stages[0].fits && !stages[1].fits && stages[2].fits);
        QVERIFY(memoryVerdict(found).contains(QStringLiteral("calibrate by 1.00 GiB")));
    }

    void wishesAreTold() {
        ModelPage page;
        page.resize(850, 560);
        QSignalSpy inspected(&page, &ModelPage::inspectWanted), chosen(&page, &ModelPage::modelChosen),
            tokenized(&page, &ModelPage::tokenizeWanted), rendered(&page, &ModelPage::renderWanted);
        page.setModels(ModelList::fromJson(listJson()));
        QCOMPARE(page.model(), QStringLiteral("tiny"));
        QTRY_COMPARE(inspected.count(), 1);
        page.setInspection(QStringLiteral("other"), ModelInspection::fromJson(inspectionJson()));
        auto* table = tableOf(page, QStringLiteral("Models"));
        Q_EMIT table->rowActivated(0);
        QCOMPARE(chosen.count(), 0);  // that answer was another model's
        page.setInspection(QStringLiteral("tiny"), ModelInspection::fromJson(inspectionJson()));
        Q_EMIT table->rowActivated(0);
        QCOMPARE(chosen.count(), 1);
        QTRY_VERIFY(tokenized.count() >= 1);
        QTRY_VERIFY(rendered.count() >= 1);
        const auto messages = rendered.last()[1].value<ordered_json>();
        QVERIFY(messages.size() == 1 && messages[0]["role"] == "user" &&
                messages[0]["content"] == "What is 48 + 7?");
        page.findChild<QSpinBox*>()->setValue(4096);
        QTRY_COMPARE(inspected.count(), 2);
        QCOMPARE(inspected.last()[1].toInt(), 4096);
    }

    void aMissingModelShowsItsCommand() {
        ModelPage page;
        page.setModels(ModelList::fromJson({{"models", ordered_json::array()}}));
        auto* name = page.findChild<QLineEdit*>();
        name->setText(QStringLiteral("Qwen/Qwen2.5-0.5B"));
        QSignalSpy inspected(&page, &ModelPage::inspectWanted);
        QTest::keyClick(name, Qt::Key_Return);
        QTRY_COMPARE(inspected.count(), 1);
        page.setInspectionFailure(QStringLiteral("Qwen/Qwen2.5-0.5B"), QStringLiteral("not a folder"), {},
                                  QStringLiteral("hf download Qwen/Qwen2.5-0.5B"));
        bool said = false;
        for (NoticeLine* line : page.findChildren<NoticeLine*>())
            said = said || line->message().contains(QStringLiteral("hf download Qwen/Qwen2.5-0.5B"));
        QVERIFY(said);
    }

    void aFolderIsDropped() {
        ModelPage page;
        QSignalSpy dropped(&page, &ModelPage::folderDropped);
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QStringLiteral("/models/x"))});
        QDragEnterEvent enter(QPoint(5, 5), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&page, &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(5, 5), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&page, &drop);
        QCOMPARE(dropped.count(), 1);
        QCOMPARE(page.model(), QStringLiteral("/models/x"));
    }

    void contentIsFoundInText() {
        const auto positions = textPositions(QStringLiteral("a\U0001f600bc"), {{1, 2}, {2, 4}, {3, 99}});
        QVERIFY((positions == std::vector<std::pair<int, int>>{{1, 3}, {3, 5}, {4, 5}}));
    }

    void manyTensorsAreShownAtOnce() {
        const ModelInspection found = ModelInspection::fromJson(inspectionJson(100000));
        ModelPage page;
        page.resize(850, 560);
        page.setModels(ModelList::fromJson(listJson()));
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        QElapsedTimer timer;
        timer.start();
        page.setInspection(QStringLiteral("tiny"), found);
        QCoreApplication::processEvents();
        const double set = static_cast<double>(timer.nsecsElapsed()) * 1e-6;
        auto* table = tableOf(page, QStringLiteral("Load report"));
        timer.restart();
        table->setSearch(QStringLiteral("layers.777"));
        const double searched = static_cast<double>(timer.nsecsElapsed()) * 1e-6;
        std::printf("measured: a load report of 100,000 tensors: shown in %.0f ms, searched in %.0f ms\n",
                    set, searched);
        QVERIFY(table->shownRows() > 0 && table->shownRows() < 1000);
    }

    void pictures() {
        const QString folder = qEnvironmentVariable("SPD_SCREENSHOTS");
        if (folder.isEmpty() || readAnswer(QStringLiteral("models")).is_null())
            QSKIP("SPD_ANSWERS and SPD_SCREENSHOTS are not set");
        Theme theme(*qApp);
        for (const auto& [choice, name] :
             {std::pair{ThemeChoice::light, "light"}, std::pair{ThemeChoice::dark, "dark"}}) {
            theme.choose(choice);
            ModelPage page;
            page.resize(850, 560);
            fill(page);
            QVERIFY2(page.minimumSizeHint().width() <= 850, "wider than its place in a window of 1280");
            page.show();
            auto* tabs = page.findChild<QTabWidget*>();
            for (int tab = 0; tab < tabs->count(); ++tab) {
                tabs->setCurrentIndex(tab);
                QTest::qWait(200);
                QVERIFY(page.grab().save(
                    QStringLiteral("%1/model_%2_%3.png").arg(folder).arg(tab).arg(QLatin1String(name))));
            }
            page.setInspectionFailure(page.model(), QStringLiteral("not there"), {},
                                      QStringLiteral("hf download Qwen/Qwen2.5-0.5B"));
            QTest::qWait(100);
            page.grab().save(QStringLiteral("%1/model_missing_%2.png").arg(folder, QLatin1String(name)));
        }
    }
};

QTEST_MAIN(tst_ModelPage)
#include "tst_model_page.moc"
