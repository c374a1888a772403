// The log, the card's and the rail's values, the palette, the sheet of keys.
#include <QAbstractItemModelTester>
#include <QAction>
#include <QElapsedTimer>
#include <QTest>
#include <cstdio>

#include "views/dialogs/command_palette.h"
#include "views/dialogs/shortcuts_sheet.h"
#include "views/frame/run_draft.h"
#include "views/frame/stage_rail.h"
#include "views/log/log_model.h"
#include "views/log/log_panel.h"

using spd::LogModel;
using spd::Stage;
using spd::StageMark;

class tst_Frame : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void logIsBounded();
    void logPanel();
    void nextSteps();
    void card();
    void marks();
    void railIsDrawn();
    void palette();
    void keys();
};

void tst_Frame::logIsBounded() {
    LogModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    const auto lines = [](int from, int count) {
        std::vector<LogModel::Line> some;
        for (int i = 0; i < count; ++i)
            some.push_back({0, QStringLiteral("engine"), QString::number(from + i)});
        return some;
    };
    model.append({});
    model.append(lines(0, 9'999));
    model.append(lines(9'999, 3));
    QCOMPARE(model.rowCount(), 10'000);
    QCOMPARE(model.lines().front().text, QStringLiteral("2"));
    model.append(lines(0, 25'000));
    QCOMPARE(model.rowCount(), 10'000);
    QCOMPARE(model.lines().back().text, QStringLiteral("24999"));
    model.clear();
    QCOMPARE(model.rowCount(), 0);
}

void tst_Frame::logPanel() {
    spd::LogPanel panel;
    panel.resize(500, 200);
    panel.show();
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 100'000; ++i)
        panel.append({0, QStringLiteral("engine"),
                      i % 50'000 == 7 ? QStringLiteral("Needle") : QStringLiteral("hay")});
    std::printf("measured: 100000 lines to the log: %lld ms\n", static_cast<long long>(timer.elapsed()));
    QTest::qWait(200);
    panel.append({0, QStringLiteral("train"), QStringLiteral("a needle too")});
    panel.search(QStringLiteral("needle"));
    QTRY_COMPARE_WITH_TIMEOUT(panel.shownText().count(QStringLiteral("eedle")), 1,
                              30'000);  // the others fell out
}

void tst_Frame::nextSteps() {
    spd::RunDraft draft;
    QCOMPARE(spd::nextStep(draft).words, QStringLiteral("Choose a model"));
    draft.model = QStringLiteral("m");
    QCOMPARE(spd::nextStep(draft).page, Stage::calibration);
    draft.subspace = QStringLiteral("s");
    QCOMPARE(spd::nextStep(draft).page, Stage::subspace);
    draft.rank = QStringLiteral("64 of 128");
    QCOMPARE(spd::nextStep(draft).words, QStringLiteral("Generate corpus"));
    draft.corpus = QStringLiteral("c");
    QCOMPARE(spd::nextStep(draft).page, Stage::training);
    draft.adapter = QStringLiteral("a");
    QCOMPARE(spd::nextStep(draft).page, Stage::evaluation);
    draft.scores = QStringLiteral("38.2");
    QCOMPARE(spd::nextStep(draft).page, Stage::runs);
}

void tst_Frame::card() {
    spd::RunDraft draft;
    draft.differences[2].push_back({QStringLiteral("strength"), QStringLiteral("0.8"), Stage::subspace, {}});
    QCOMPARE(spd::runCardOf(draft, false).next_step, QStringLiteral("Connect to an engine"));
    const spd::RunCardValues values = spd::runCardOf(draft, true);
    QCOMPARE(values.next_step, QStringLiteral("Choose a model"));
    QCOMPARE(values.differences.size(), size_t{1});
    QVERIFY(values.lines[0].value.isEmpty());
}

void tst_Frame::marks() {
    using spd::protocol::JobState;
    spd::RunDraft draft;
    draft.model = QStringLiteral("m");
    const spd::StageMarks marks = spd::marksOf(draft, {{Stage::training, JobState::running, 0.5, {}},
                                                       {Stage::training, JobState::failed, 0, {}},
                                                       {Stage::corpus, JobState::interrupted, 0, {}},
                                                       {Stage::corpus, JobState::finished, 0, {}}});
    QCOMPARE(marks[0].kind, StageMark::Kind::done);
    QCOMPARE(marks[1].kind, StageMark::Kind::nothing);
    QCOMPARE(marks[5].kind, StageMark::Kind::running);
    QCOMPARE(marks[5].share, 0.5);
    QCOMPARE(marks[4].kind, StageMark::Kind::warning);
    QCOMPARE(spd::stageOfKind("train"), std::optional(Stage::training));
    QVERIFY(!spd::stageOfKind("other").has_value());
}

void tst_Frame::railIsDrawn() {
    spd::StageRail rail;
    rail.resize(rail.sizeHint());
    spd::StageMarks marks;
    for (size_t i = 0; i < marks.size(); ++i)
        marks[i].kind = static_cast<StageMark::Kind>(i % 4);
    rail.setMarks(marks);
    rail.setCurrent(Stage::corpus);
    QVERIFY(!rail.grab().isNull());
}

void tst_Frame::palette() {
    QAction open(QStringLiteral("&Connect...")), restart(QStringLiteral("Re&start engine")), no_text;
    open.setProperty("menu", QStringLiteral("Engine"));
    restart.setProperty("menu", QStringLiteral("Engine"));
    int opened = 0;
    connect(&open, &QAction::triggered, this, [&] { ++opened; });
    spd::CommandPalette palette({&restart, &open, &no_text}, nullptr);
    QCOMPARE(palette.shown().size(), 2);
    palette.setLetters(QStringLiteral("engine con"));
    QCOMPARE(palette.shown(), QStringList{QStringLiteral("Engine \u203a Connect...")});
    palette.show();
    QTest::keyClick(palette.findChild<QWidget*>(), Qt::Key_Down);
    for (QWidget* widget : palette.findChildren<QWidget*>())
        if (widget->inherits("QLineEdit"))
            QTest::keyClick(widget, Qt::Key_Return);
    QCOMPARE(opened, 1);
    palette.setLetters(QStringLiteral("zzz"));
    QVERIFY(palette.shown().isEmpty());
}

void tst_Frame::keys() {
    QAction action(QStringLiteral("&Quit"));
    action.setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Q));
    action.setProperty("menu", QStringLiteral("File"));
    const QString html = spd::ShortcutsSheet::html({&action});
    QVERIFY(html.contains(QStringLiteral("Ctrl+Q")) && html.contains(QStringLiteral("Quit")));
}

QTEST_MAIN(tst_Frame)
#include "tst_frame.moc"
