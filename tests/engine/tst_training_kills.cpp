// A training run that is killed at any of its system calls or meets a full disk: what is resumed ends with
// the bytes of a run that was never broken.

#include <QTest>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "core/base/error.h"
#include "core/pipeline/experiment/training_curve.h"
#include "tests/support/training_job.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

class TestTrainingKills : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void whatIsThereAtTheEnd();
    void curveOfTheDatabase();
    void killedAtSystemCalls();
    void killedAtRandomMoments();
    void stoppedAfterEachStep();
    void fullDiskPauses();
    void fullDiskAndStopped();
    void fileSizeLimit();

private:
    const TrainingJob job_;
    const TemporaryFolder unbroken_{TemporaryFolder::On::memory};
    std::string expected_;
    int calls_ = 0;
};

void TestTrainingKills::initTestCase() {
    const Outcome outcome = job_.run(job_.request(unbroken_ / "run"));
    QVERIFY2(outcome.exit_code == 0, outcome.said.c_str());
    calls_ = outcome.calls;
    expected_ = resultOf(unbroken_ / "run");
}

void TestTrainingKills::whatIsThereAtTheEnd() {
    const fs::path out = unbroken_ / "run";
    QCOMPARE(namesIn(out), (std::vector<std::string>{"adapter", "checkpoints", "log.txt", "result.json",
                                                     "train.meta.json", "training_log.jsonl"}));
    QCOMPARE(namesIn(out / "checkpoints"), (std::vector<std::string>{"step-00000004", "step-00000006"}));
    const std::string log = losses(out);
    QCOMPARE(std::count(log.begin(), log.end(), '\n'), 6);
    QVERIFY(contentOf(out / "log.txt").find("no intervention is active") != std::string::npos);
    const Outcome again = job_.run(job_.request(out));  // nothing is left to do
    QCOMPARE(again.exit_code, 0);
    QCOMPARE(resultOf(out), expected_);
    const TemporaryFolder other(TemporaryFolder::On::memory);
    QCOMPARE(job_.run(job_.request(other / "run")).exit_code, 0);
    QCOMPARE(resultOf(other / "run"), expected_);
}

/// What the run database gets of a training is what its log says, the held-out losses among it.
void TestTrainingKills::curveOfTheDatabase() {
    const fs::path log = unbroken_ / "run/training_log.jsonl";
    const TrainingCurve curve = readTrainingCurve(log);
    std::map<std::pair<std::string, int64_t>, double> metrics;
    for (const Metric& metric : curve.metrics)
        metrics[{metric.key, metric.step}] = metric.value;
    QCOMPARE(metrics.size(), curve.metrics.size());
    std::istringstream lines(contentOf(log));
    size_t held_out = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto row = nlohmann::ordered_json::parse(line);
        const int64_t step = row.at("step");
        for (const char* key : {"loss", "lr", "grad_norm", "tokens_per_second"})
            QCOMPARE(metrics.at({std::string("train/") + key, step}), row.at(key).get<double>());
        if (row.contains("held_out_nll")) {
            QCOMPARE(metrics.at({"train/held_out_nll", step}), row.at("held_out_nll").get<double>());
            ++held_out;
        }
    }
    QCOMPARE(held_out, size_t{2});
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    for (const char* line : {"{\"step\":1}", "{\"step\":\"1\"}", "{\"step\":1,\"loss\":\"x\"}", "[]"}) {
        folder.put("log.jsonl", line);
        QVERIFY_EXCEPTION_THROWN(readTrainingCurve(folder / "log.jsonl"), Error);
    }
}

void TestTrainingKills::killedAtSystemCalls() {
    constexpr int kKills = 40;
    int kills = 0;
    for (int i = 0; i < kKills; ++i) {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const TrainRequest request = job_.request(folder / "run");
        const int call = 1 + i * (calls_ - 1) / (kKills - 1);
        const Fault fault = {i % 3 == 2 ? Fault::Kind::write_and_kill : Fault::Kind::kill, call, 0};
        const Outcome killed = job_.run(request, fault);
        kills += killed.exit_code == -1;
        // Nothing was killed where the call was no write.
        QVERIFY2(killed.exit_code == -1 || (i % 3 == 2 && killed.exit_code == 0), killed.said.c_str());
        const Outcome resumed = job_.run(request);
        QVERIFY2(resumed.exit_code == 0, resumed.said.c_str());
        QVERIFY2(resumed.said.find("damaged") == std::string::npos, resumed.said.c_str());
        QVERIFY2(resultOf(request.out) == expected_, std::to_string(call).c_str());
        QCOMPARE(namesIn(request.out / "checkpoints"), namesIn(unbroken_ / "run/checkpoints"));
        QCOMPARE(namesIn(request.out), namesIn(unbroken_ / "run"));
    }
    std::printf("measured: killed at %d of %d system calls, every resumed run equal to the unbroken one\n",
                kills, calls_);
    QVERIFY(kills >= 20);
}

void TestTrainingKills::killedAtRandomMoments() {
    std::mt19937 generator(5);
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    const TrainRequest request = job_.request(folder / "run");
    int kills = 0;
    // Ever later, so that the run gets somewhere; from the third step on a kill every few calls.
    for (int call = 3; kills < 12; call += 9)
        kills += job_.run(request, {Fault::Kind::kill,
                                    1 + static_cast<int>(generator() % static_cast<uint32_t>(call)), 0})
                     .exit_code == -1;
    const Outcome outcome = job_.run(request);
    QVERIFY2(outcome.exit_code == 0, outcome.said.c_str());
    QCOMPARE(resultOf(request.out), expected_);
    std::printf("measured: one run killed %d times over, equal to the unbroken one\n", kills);
}

void TestTrainingKills::stoppedAfterEachStep() {
    for (int events = 1; events <= 5; ++events) {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const TrainRequest request = job_.request(folder / "run");
        QCOMPARE(job_.run(request, {}, events).exit_code, 130);
        const std::string newest = namesIn(request.out / "checkpoints").back();
        QCOMPARE(newest, "step-0000000" + std::to_string(events));
        QCOMPARE(job_.run(request).exit_code, 0);
        QCOMPARE(resultOf(request.out), expected_);
    }
}

/// One failed call each time: the run says so, goes on, and its result is the same.
void TestTrainingKills::fullDiskPauses() {
    int paused = 0;
    for (int call = 20; call < calls_; call += 23) {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const TrainRequest request = job_.request(folder / "run");
        const Outcome outcome = job_.run(request, {Fault::Kind::error, call, ENOSPC});
        const bool said =
            outcome.said.find("No space left on device: training is paused at step") != std::string::npos;
        paused += said;
        if (outcome.exit_code != 0)  // before the first step there is nothing to pause
            QVERIFY2(outcome.exit_code == 1 && outcome.said.find("No space") != std::string::npos,
                     outcome.said.c_str());
        const Outcome resumed = job_.run(request);
        QVERIFY2(resumed.exit_code == 0, resumed.said.c_str());
        QCOMPARE(resultOf(request.out), expected_);
    }
    std::printf("measured: a full disk at one of %d calls: %d runs paused and went on\n", calls_, paused);
    QVERIFY(paused >= 5);
}

/// The disk stays full from somewhere in the run on, until it is asked to stop.
void TestTrainingKills::fullDiskAndStopped() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    const TrainRequest request = job_.request(folder / "run");
    const Outcome stopped = job_.run(request, {Fault::Kind::errors, calls_ * 6 / 10, EDQUOT}, 0);
    QVERIFY2(stopped.exit_code == 130, stopped.said.c_str());
    QVERIFY2(stopped.said.find("training is paused") != std::string::npos, stopped.said.c_str());
    QCOMPARE(job_.run(request).exit_code, 0);
    QCOMPARE(resultOf(request.out), expected_);
}

/// Nothing that waiting would mend: the run ends and says how it goes on.
void TestTrainingKills::fileSizeLimit() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    const TrainRequest request = job_.request(folder / "run");
    const Outcome outcome = job_.run(request, {Fault::Kind::errors, calls_ / 2, EFBIG});
    QVERIFY2(outcome.exit_code == 1, outcome.said.c_str());
    QVERIFY2(outcome.said.find("--resume goes on from step") != std::string::npos, outcome.said.c_str());
    QCOMPARE(job_.run(request).exit_code, 0);
    QCOMPARE(resultOf(request.out), expected_);
}

QTEST_GUILESS_MAIN(TestTrainingKills)
#include "tst_training_kills.moc"
