// The whole window against the scripted engine's plan `jobs`.
#include <QLabel>
#include <QMessageBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include "app/workbench/link/shell_words.h"
#include "app/workbench/main_window.h"
#include "app/workbench/workbench.h"
#include "views/dialogs/notice.h"
#include "views/frame/run_card.h"
#include "views/frame/stage_rail.h"

using spd::Stage;
using spd::protocol::JobState;

class tst_MainWindow : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void showsTheEnginesJobs();
    void offersToResume();
    void wishesReachTheEngine();
    void everyPageFits_data();
    void everyPageFits();
    void remembersPageAndTheme();
    void closing_data();
    void closing();
    void brokenOffStartIsNotRepeated();

private:
    /// What main() makes.
    struct Program {
        explicit Program(const QString& folder)
            : settings(folder + QStringLiteral("/w.ini")), workbench(settings), window(workbench, theme()) {}
        static spd::Theme& theme() {
            static spd::Theme one(*qobject_cast<QApplication*>(QCoreApplication::instance()));
            return one;
        }
        JobState stateOf(const char* job) {
            return workbench.jobs().find(QString::fromLatin1(job))->job.state;
        }
        spd::Settings settings;
        spd::Workbench workbench;
        spd::MainWindow window;
    };
    std::unique_ptr<Program> start() {
        auto program = std::make_unique<Program>(folder_->path());
        program->window.show();
        program->workbench.connectTo(spd::shellLine(
            {QStringLiteral(PYTHON), QStringLiteral(SPD_SOURCE_DIR "/tests/support/scripted_engine.py"),
             QStringLiteral("jobs"), folder_->path()}));
        return program;
    }
    std::unique_ptr<QTemporaryDir> folder_;
};

void tst_MainWindow::init() {
    folder_ = std::make_unique<QTemporaryDir>();
}

void tst_MainWindow::showsTheEnginesJobs() {
    const auto program = start();
    QTRY_COMPARE_WITH_TIMEOUT(program->workbench.jobs().rowCount(), 6, 30'000);
    QTRY_COMPARE_WITH_TIMEOUT(program->workbench.status().share, 0.62, 30'000);
    QCOMPARE(program->workbench.status().engine, QStringLiteral("engine ready"));
    QCOMPARE(program->workbench.status().jobs, QStringLiteral("1 running, 2 waiting"));
    QTRY_VERIFY_WITH_TIMEOUT(program->workbench.status().model.contains(QStringLiteral("0.920 GiB")), 30'000);
    QCOMPARE(program->workbench.marks()[1].kind, spd::StageMark::Kind::running);
    QCOMPARE(program->workbench.runCard().next_step, QStringLiteral("Choose a model"));
}

void tst_MainWindow::offersToResume() {
    const auto program = start();
    auto* notice = program->window.findChild<spd::Notice*>();
    QTRY_VERIFY_WITH_TIMEOUT(notice->isVisible(), 30'000);
    QCOMPARE(notice->text(),
             QStringLiteral("The engine ended while \"Generate corpus, MBPP\" ran. What it had saved "
                            "is kept."));
    auto* button = notice->findChild<QPushButton*>();
    QCOMPARE(button->text(), QStringLiteral("Resume"));
    button->click();
    QVERIFY(!notice->isVisible());
    QTRY_COMPARE_WITH_TIMEOUT(program->stateOf("j6"), JobState::queued, 30'000);
}

void tst_MainWindow::wishesReachTheEngine() {
    const auto program = start();
    QTRY_COMPARE_WITH_TIMEOUT(program->workbench.jobs().rowCount(), 6, 30'000);
    program->workbench.moveJob(QStringLiteral("j3"), 0);
    QTRY_COMPARE_WITH_TIMEOUT(program->workbench.jobs().rows()[1].job.id, std::string("j3"), 30'000);
    program->workbench.resumeJob(QStringLiteral("j6"));
    QTRY_COMPARE_WITH_TIMEOUT(program->stateOf("j6"), JobState::queued, 30'000);
    program->workbench.removeJob(QStringLiteral("j5"));
    QTRY_VERIFY_WITH_TIMEOUT(program->workbench.jobs().find(QStringLiteral("j5")) == nullptr, 30'000);
    program->workbench.cancelJob(QStringLiteral("j1"));
    QVERIFY(program->workbench.jobs().running()->job.stopping);  // seen at once
    QTRY_COMPARE_WITH_TIMEOUT(program->stateOf("j1"), JobState::cancelled, 30'000);
    QSignalSpy logged(&program->workbench, &spd::Workbench::logged);
    program->workbench.showJobLog(QStringLiteral("j4"));
    QTRY_COMPARE_WITH_TIMEOUT(logged.size(), 2, 30'000);
    QSignalSpy refused(&program->workbench, &spd::Workbench::refused);
    program->workbench.connectTo(QStringLiteral("ssh 'host"));
    QCOMPARE(refused.size(), 1);
}

void tst_MainWindow::everyPageFits_data() {
    QTest::addColumn<int>("page");
    for (int i = 0; i < spd::kStageCount; ++i)
        QTest::newRow(qPrintable(spd::stageName(static_cast<Stage>(i)))) << i;
}

void tst_MainWindow::everyPageFits() {
    QFETCH(int, page);
    Program program(folder_->path());
    program.window.resize(1280, 720);
    program.window.show();
    program.window.showPage(static_cast<Stage>(page));
    QTest::qWait(20);
    QCOMPARE(program.window.size(), QSize(1280, 720));  // a page that needs more would push it
    QCOMPARE(program.window.currentPage(), static_cast<Stage>(page));
    QVERIFY(!program.window.grab().isNull());
}

void tst_MainWindow::remembersPageAndTheme() {
    {
        Program program(folder_->path());
        program.window.showPage(Stage::evaluation);
        for (QAction* action : program.window.menus().actions())
            if (action->text() == QStringLiteral("Dark theme"))
                action->trigger();
        QVERIFY(Program::theme().dark());
        program.window.close();
    }
    Program again(folder_->path());
    QCOMPARE(again.window.currentPage(), Stage::evaluation);
    QCOMPARE(again.settings.value(spd::Settings::kTheme).toString(), QStringLiteral("dark"));
    Program::theme().choose(spd::ThemeChoice::system);
}

void tst_MainWindow::closing_data() {
    QTest::addColumn<QString>("answer");
    for (const char* answer : {"Keep going", "Stop and save", "Stay"})
        QTest::newRow(answer) << QString::fromLatin1(answer);
}

void tst_MainWindow::closing() {
    QFETCH(QString, answer);
    const auto program = start();
    QTRY_COMPARE_WITH_TIMEOUT(program->workbench.jobs().rowCount(), 6, 30'000);
    int asked = 0;
    QTimer clicker;
    connect(&clicker, &QTimer::timeout, this, [&] {
        auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
        if (box == nullptr)
            return;
        for (QAbstractButton* button : box->buttons())
            if (button->text() == answer && ++asked == 1)
                button->click();
    });
    clicker.start(10);
    const bool closed = program->window.close();
    QCOMPARE(asked, 1);
    QCOMPARE(closed, answer == QStringLiteral("Keep going"));
    if (answer == QStringLiteral("Stop and save")) {
        QTRY_VERIFY_WITH_TIMEOUT(!program->window.isVisible(), 30'000);
        QCOMPARE(program->stateOf("j1"), JobState::cancelled);
    } else {
        QCOMPARE(program->stateOf("j1"), JobState::running);
        QCOMPARE(program->window.isVisible(), answer == QStringLiteral("Stay"));
    }
}

void tst_MainWindow::brokenOffStartIsNotRepeated() {
    {
        spd::Settings settings(folder_->filePath(QStringLiteral("w.ini")));
        settings.set(spd::Settings::kEngineCommand, QStringLiteral("false"));
        QVERIFY(settings.beginRecovering(QStringLiteral("false")));
    }
    Program program(folder_->path());
    QSignalSpy refused(&program.workbench, &spd::Workbench::refused);
    program.workbench.start();
    QCOMPARE(refused.size(), 1);
    QCOMPARE(program.workbench.client().state(), spd::EngineState::none);
}

QTEST_MAIN(tst_MainWindow)
#include "tst_main_window.moc"
