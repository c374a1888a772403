#include <QAbstractItemModelTester>
#include <QAbstractItemView>
#include <QSignalSpy>
#include <QTest>

#include "views/jobs/jobs_model.h"
#include "views/jobs/jobs_strip.h"
#include "views/shared/numbers.h"

using spd::JobAction;
using spd::JobsModel;
using spd::protocol::Job;
using spd::protocol::JobState;

class tst_JobsModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void order();
    void changes();
    void reorders();
    void progress();
    void actions();
    void manyAreQuick();
    void stripSaysWishes();
};

namespace {

Job job(const char* id, JobState state, int64_t position_or_end = 0) {
    Job one;
    one.id = id;
    one.kind = "calibrate";
    one.title = std::string("title ") + id;
    one.state = state;
    if (state == JobState::queued)
        one.position = position_or_end;
    else if (spd::protocol::hasEnded(state))
        one.ended = position_or_end;
    return one;
}

QString order(const JobsModel& model) {
    QStringList ids;
    for (const JobsModel::Row& row : model.rows())
        ids << QString::fromStdString(row.job.id);
    return ids.join(u' ');
}

spd::protocol::JobProgress at(int64_t done, int64_t total) {
    spd::protocol::JobProgress progress;
    progress.progress = {.phase = "calibrate", .done = done, .total = total};
    progress.rate = 0.9;
    progress.seconds_left = 21;
    return progress;
}

}  // namespace

void tst_JobsModel::order() {
    JobsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setJobs({job("old", JobState::finished, 5), job("q1", JobState::queued, 1),
                   job("run", JobState::running), job("new", JobState::failed, 9),
                   job("q0", JobState::queued, 0)});
    QCOMPARE(::order(model), QStringLiteral("run q0 q1 new old"));
    QCOMPARE(model.waiting(), 2);
    QCOMPARE(model.running()->job.id, std::string("run"));
    QVERIFY(model.find(QStringLiteral("none")) == nullptr);
}

void tst_JobsModel::changes() {
    JobsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.update(job("a", JobState::queued, 0));
    model.update(job("b", JobState::queued, 1));
    model.update(job("a", JobState::running));
    QCOMPARE(::order(model), QStringLiteral("a b"));
    model.update(job("a", JobState::finished, 3));
    QCOMPARE(::order(model), QStringLiteral("b a"));
    QVERIFY(model.running() == nullptr);
    model.update(job("b", JobState::running));
    model.update(job("b", JobState::cancelled, 4));
    QCOMPARE(::order(model), QStringLiteral("b a"));
    model.remove(QStringLiteral("b"));
    model.remove(QStringLiteral("unknown"));
    QCOMPARE(::order(model), QStringLiteral("a"));
}

void tst_JobsModel::reorders() {
    JobsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setJobs(
        {job("a", JobState::queued, 0), job("b", JobState::queued, 1), job("c", JobState::queued, 2)});
    model.update(job("c", JobState::queued, 0));  // an engine tells each that moved
    model.update(job("a", JobState::queued, 1));
    model.update(job("b", JobState::queued, 2));
    QCOMPARE(::order(model), QStringLiteral("c a b"));
}

void tst_JobsModel::progress() {
    JobsModel model;
    QSignalSpy changed(&model, &JobsModel::jobsChanged);
    model.setJobs({job("a", JobState::running)});
    model.setProgress(QStringLiteral("a"), at(31, 50));
    model.setProgress(QStringLiteral("unknown"), at(1, 2));
    QCOMPARE(changed.size(), 1);  // progress is no change of a job
    const auto text = [&](int column) { return model.index(0, column).data().toString(); };
    QCOMPARE(text(JobsModel::kTitle), QStringLiteral("title a"));
    QCOMPARE(text(JobsModel::kPhase), QStringLiteral("calibrate"));
    QCOMPARE(text(JobsModel::kProgress), QStringLiteral("31 / 50"));
    QCOMPARE(text(JobsModel::kRate), QStringLiteral("0.90 ex/s"));
    QCOMPARE(text(JobsModel::kTimeLeft), QStringLiteral("21 s left"));
    QCOMPARE(model.index(0, 0).data(JobsModel::kShareRole).toDouble(), 0.62);
    model.setProgress(QStringLiteral("a"), at(0, 0));
    QCOMPARE(model.index(0, 0).data(JobsModel::kShareRole).toDouble(), 0.0);
    model.setJobs({job("a", JobState::running)});  // asked for anew: progress is kept
    QCOMPARE(text(JobsModel::kPhase), QStringLiteral("calibrate"));
}

void tst_JobsModel::actions() {
    Job one = job("a", JobState::running);
    QCOMPARE(spd::mainAction(one), JobAction::cancel);
    one.stopping = true;
    QCOMPARE(spd::mainAction(one), JobAction::none);
    QVERIFY(spd::stateInWords(one).startsWith(QStringLiteral("stopping")));
    one = job("a", JobState::interrupted);
    QCOMPARE(spd::mainAction(one), JobAction::remove);
    one.resumable = true;
    QCOMPARE(spd::mainAction(one), JobAction::resume);
    QCOMPARE(spd::mainAction(job("a", JobState::finished)), JobAction::remove);
    QCOMPARE(spd::mainAction(job("a", JobState::queued)), JobAction::cancel);
    one = job("a", JobState::failed);
    one.failure = spd::protocol::JobFailure{"io", "disk full", {}};
    QCOMPARE(spd::stateInWords(one), QStringLiteral("failed: disk full"));
}

void tst_JobsModel::manyAreQuick() {
    JobsModel model;
    std::vector<Job> jobs;
    for (int i = 0; i < 1000; ++i)
        jobs.push_back(job(std::to_string(i).c_str(), JobState::queued, i));
    model.setJobs(jobs);
    for (int i = 999; i >= 0; --i)
        model.update(job(std::to_string(i).c_str(), JobState::finished, 1000 - i));
    QCOMPARE(model.rows().front().job.id, std::string("0"));
}

void tst_JobsModel::stripSaysWishes() {
    JobsModel model;
    spd::JobsStrip strip(model);
    strip.resize(800, 120);
    strip.show();
    model.setJobs(
        {job("a", JobState::running), job("b", JobState::queued, 0), job("c", JobState::queued, 1)});
    model.setProgress(QStringLiteral("a"), at(1, 2));
    QSignalSpy cancelled(&strip, &spd::JobsStrip::cancelWanted);
    QSignalSpy moved(&strip, &spd::JobsStrip::moveWanted);
    auto* view = strip.findChild<QAbstractItemView*>();
    QVERIFY(view != nullptr);
    QTest::qWait(20);
    const QRect button = view->visualRect(model.index(1, JobsModel::kAction));
    QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, button.center());
    QCOMPARE(cancelled.size(), 1);
    QCOMPARE(cancelled[0][0].toString(), QStringLiteral("b"));
    view->setFocus();
    view->setCurrentIndex(model.index(2, 0));
    QTest::keyClick(view, Qt::Key_Up, Qt::AltModifier);
    QTRY_COMPARE_WITH_TIMEOUT(moved.size(), 1, 30'000);
    QCOMPARE(moved[0][1].toInt(), 0);
}

QTEST_MAIN(tst_JobsModel)
#include "tst_jobs_model.moc"
