// A training run that is killed at any of its system calls, meets a full disk, damaged checkpoints or numbers
// that are not finite: what is resumed ends with the bytes of a run that was never broken.

#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <random>
#include <stop_token>
#include <thread>

#include "core/base/error.h"
#include "core/pipeline/train.h"
#include "tests/support/failing_calls.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

/// What a child process answers with.
struct Outcome {
    int exit_code = 0;  // of Error; 130 for Cancelled; -1 when killed
    int calls = 0;      // of the system, counted by armFault()
    std::string said;   // messages, and the error's text
};

/// A small model, its corpus, and runs of `spd train`'s function in child processes: LibTorch is used in none
/// other.
class TrainingJob {
public:
    TrainingJob() : folder_(TemporaryFolder::On::memory) {
        fs::create_directory(folder_ / "model");
        writeTinyCheckpoint(folder_ / "model", tinyConfig(ModelFamily::qwen2), 3);
        folder_.put("model/tokenizer.json", smallTokenizer().dump());
        std::string rows;
        for (int row = 0; row < 11; ++row)
            rows += R"({"prompt":"say )" +
                    std::string(static_cast<size_t>(3 + row), static_cast<char>('a' + row)) +
                    R"(","completion":"the )" + std::to_string(row * row) + R"( of )" + std::to_string(row) +
                    "\"}\n";
        folder_.put("corpus.jsonl", rows);
    }

    TrainRequest request(const fs::path& out) const {
        TrainRequest made;
        made.model = (folder_ / "model").native();
        made.workspace = folder_.path();
        made.corpus = folder_ / "corpus.jsonl";
        made.out = out;
        made.settings.epochs = 2;
        made.settings.batch_size = 3;
        made.settings.lr = 1e-3;
        made.settings.dropout = 0.2;
        made.held_out_fraction = 0.2;
        made.keep_best = true;
        made.checkpoint_every = 2;
        made.resume = true;
        made.retry_seconds = 0.01;
        return made;
    }

    /// @param stop_after  steps, or 0 for the first message: then the run is asked to stop; -1: never.
    /// -1: never.
    Outcome run(const TrainRequest& request, const Fault& fault = {}, int stop_after = -1) const {
        int ends[2];
        if (::pipe(ends) != 0)
            qFatal("no pipe");
        const pid_t child = ::fork();
        if (child == 0)
            work(request, fault, stop_after, ends[1]);
        ::close(ends[1]);
        Outcome outcome;
        char block[4096];
        for (ssize_t got; (got = ::read(ends[0], block, sizeof block)) > 0;)
            outcome.said.append(block, static_cast<size_t>(got));
        ::close(ends[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (const size_t at = outcome.said.rfind("calls "); at != std::string::npos)
            outcome.calls = std::atoi(outcome.said.c_str() + at + 6);
        return outcome;
    }

private:
    [[noreturn]] static void work(const TrainRequest& request, const Fault& fault, int stop_after,
                                  int answer) {
        std::string said;
        std::stop_source stop;
        int events = 0;
        JobContext context;
        context.stop = stop.get_token();
        const auto count = [&] {
            if (++events == stop_after)
                stop.request_stop();
        };
        context.on_message = [&](const std::string& message) {
            said += message + "\n";
            if (stop_after == 0)
                stop.request_stop();
        };
        context.on_progress = [&](const Progress& progress) {
            if (progress.phase == "train" && progress.done > 0)
                count();
        };
        int code = 0;
        armFault(fault);
        try {
            trainAdapter(request, context);
        } catch (const Error& error) {
            said += std::string(error.what()) + "\n";
            code = error.exitCode();
        } catch (const Cancelled&) {
            code = 130;
        }
        said += "calls " + std::to_string(disarmFault()) + "\n";
        (void)!::write(answer, said.data(), said.size());
        ::_exit(code);
    }

    TemporaryFolder folder_;
};

/// The log without its wall clock.
std::string losses(const fs::path& out) {
    const std::string log = contentOf(out / "training_log.jsonl");
    std::string kept;
    for (size_t begin = 0; begin < log.size();) {
        const size_t end = std::min(log.find('\n', begin), log.size());
        nlohmann::ordered_json line = nlohmann::ordered_json::parse(log.substr(begin, end - begin));
        line.erase("tokens_per_second");
        kept += line.dump() + "\n";
        begin = end + 1;
    }
    return kept;
}

/// Names and bytes of the adapter's files, and the losses.
std::string resultOf(const fs::path& out) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(out / "adapter"))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::string bytes;
    for (const fs::path& file : files)
        bytes += file.filename().native() + "\n" + contentOf(file);
    return bytes + losses(out) + contentOf(out / "result.json");
}

std::vector<std::string> namesIn(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

class TestTrainingKills : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void whatIsThereAtTheEnd();
    void killedAtSystemCalls();
    void killedAtRandomMoments();
    void stoppedAfterEachStep();
    void fullDiskPauses();
    void fullDiskAndStopped();
    void fileSizeLimit();
    void damagedCheckpoints();
    void notFinite();
    void whoseFolder();

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

void TestTrainingKills::damagedCheckpoints() {
    const auto damages = std::vector<std::function<void(const fs::path&)>>{
        [](const fs::path& checkpoint) { fs::resize_file(checkpoint / "optimizer.safetensors", 100); },
        [](const fs::path& checkpoint) { fs::remove(checkpoint / "manifest.json"); },
        [](const fs::path& checkpoint) { fs::remove(checkpoint / "adapter_model.safetensors"); },
        [](const fs::path& checkpoint) {
            std::string bytes = contentOf(checkpoint / "state.json");
            bytes[bytes.size() / 2] ^= 1;
            std::ofstream(checkpoint / "state.json") << bytes;
        }};
    for (const auto& damage : damages) {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const TrainRequest request = job_.request(folder / "run");
        QCOMPARE(job_.run(request, {}, 5).exit_code, 130);
        QCOMPARE(namesIn(request.out / "checkpoints"),
                 (std::vector<std::string>{"step-00000004", "step-00000005"}));
        damage(request.out / "checkpoints/step-00000005");
        const Outcome resumed = job_.run(request);
        QVERIFY2(resumed.exit_code == 0, resumed.said.c_str());
        QVERIFY2(resumed.said.starts_with("warning: step-00000005 is damaged and left aside"),
                 resumed.said.c_str());
        QCOMPARE(resultOf(request.out), expected_);
        QVERIFY(fs::exists(request.out / "checkpoints/step-00000005.damaged"));
    }
    // All of them: it starts anew.
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    const TrainRequest request = job_.request(folder / "run");
    QCOMPARE(job_.run(request, {}, 5).exit_code, 130);
    for (const std::string& name : namesIn(request.out / "checkpoints"))
        fs::resize_file(request.out / "checkpoints" / name / "manifest.json", 10);
    QCOMPARE(job_.run(request).exit_code, 0);
    QCOMPARE(resultOf(request.out), expected_);
}

void TestTrainingKills::notFinite() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    TrainRequest request = job_.request(folder / "run");
    request.settings.lr = 1e30;
    const Outcome outcome = job_.run(request);
    QVERIFY2(outcome.exit_code == 1, outcome.said.c_str());
    QVERIFY2(outcome.said.starts_with("step 2: the "), outcome.said.c_str());
    QCOMPARE(namesIn(request.out / "checkpoints"), std::vector<std::string>{"step-00000001"});
    QVERIFY(!fs::exists(request.out / "adapter"));
}

void TestTrainingKills::whoseFolder() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    TrainRequest request = job_.request(folder / "run");
    QCOMPARE(job_.run(request, {}, 3).exit_code, 130);
    request.resume = false;
    Outcome refused = job_.run(request);
    QCOMPARE(refused.exit_code, 2);
    QVERIFY2(refused.said.find("--resume goes on, --overwrite starts anew") != std::string::npos,
             refused.said.c_str());
    request.resume = true;
    request.settings.lr = 2e-3;
    refused = job_.run(request);
    QCOMPARE(refused.exit_code, 2);
    QVERIFY2(refused.said.find("settings.lr was 0.001, is 0.002") != std::string::npos, refused.said.c_str());
    request = job_.request(folder / "run");
    request.resume = false;
    request.overwrite = true;
    QCOMPARE(job_.run(request).exit_code, 0);
    QCOMPARE(resultOf(request.out), expected_);
    fs::create_directory(folder / "other");
    folder.put("other/training_log.jsonl", "mine\n");
    refused = job_.run(job_.request(folder / "other"));
    QCOMPARE(refused.exit_code, 2);
    QCOMPARE(contentOf(folder / "other/training_log.jsonl"), std::string("mine\n"));
    refused = job_.run(job_.request(folder / "absent/run"));
    QCOMPARE(refused.exit_code, 2);
    folder.put("bad.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"a\"}\n");
    request = job_.request(folder / "new");
    request.corpus = folder / "bad.jsonl";
    QCOMPARE(job_.run(request).exit_code, 3);
    QVERIFY(!fs::exists(folder / "new"));
}

QTEST_GUILESS_MAIN(TestTrainingKills)
#include "tst_training_kills.moc"
