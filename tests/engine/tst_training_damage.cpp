// Training's own files damaged, removed, somebody else's or out of reach, and numbers that are not finite:
// what can be restored ends with the bytes of a run that was never broken, the rest is refused and left
// alone.

#include <sys/resource.h>
#include <unistd.h>

#include <QTest>
#include <fstream>
#include <functional>

#include "core/train/training_checkpoint.h"
#include "tests/support/refusal.h"
#include "tests/support/tiny_checkpoint.h"
#include "tests/support/training_job.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

/// The first `before` of the file keeps all but its last letter; that and what follows, `size` bytes, becomes
/// `text`.
void replaceIn(const fs::path& file, const std::string& before, size_t size, const std::string& text) {
    std::string bytes = contentOf(file);
    const size_t at = bytes.find(before);
    if (at == std::string::npos)
        qFatal("%s is not in the file", before.c_str());
    bytes.replace(at + before.size() - 1, size, text);
    std::ofstream(file) << bytes;
}

}  // namespace

class TestTrainingDamage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void damagedCheckpoints();
    void checkpointsThatCannotBeOpened();
    void damagedResults();
    void notFinite();
    void parametersNotFinite();
    void whoseFolder();

private:
    const TrainingJob job_;
    std::string expected_;
};

void TestTrainingDamage::initTestCase() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    const Outcome outcome = job_.run(job_.request(folder / "run"));
    QVERIFY2(outcome.exit_code == 0, outcome.said.c_str());
    expected_ = resultOf(folder / "run");
}

void TestTrainingDamage::damagedCheckpoints() {
    const auto damages = std::vector<std::function<void(const fs::path&)>>{
        [](const fs::path& checkpoint) { fs::resize_file(checkpoint / "optimizer.safetensors", 100); },
        [](const fs::path& checkpoint) { fs::remove(checkpoint / "manifest.json"); },
        [](const fs::path& checkpoint) { fs::remove(checkpoint / "adapter_model.safetensors"); },
        [](const fs::path& checkpoint) {
            std::string bytes = contentOf(checkpoint / "state.json");
            bytes[bytes.size() / 2] ^= 1;
            std::ofstream(checkpoint / "state.json") << bytes;
        },
        [](const fs::path& checkpoint) {
            replaceIn(checkpoint / "manifest.json", "\"sha256\": \"", 66, "7");
        },
        [](const fs::path& checkpoint) { std::ofstream(checkpoint / "manifest.json") << "[]"; },
        [](const fs::path& checkpoint) {
            std::ofstream(checkpoint / "manifest.json") << R"({"files": [1]})";
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

/// A descriptor short is no damage: the checkpoint is not put aside, and the next start goes on from it.
void TestTrainingDamage::checkpointsThatCannotBeOpened() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    const TrainRequest request = job_.request(folder / "run");
    QCOMPARE(job_.run(request, {}, 5).exit_code, 130);
    const fs::path checkpoints = request.out / "checkpoints";
    const std::vector<std::string> before = namesIn(checkpoints);
    const ModelConfig config = tinyConfig(ModelFamily::qwen2);
    struct rlimit limit = {};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const int next = ::dup(0);
    ::close(next);
    std::vector<std::string> damaged;
    for (int room = 0; room < 2; ++room) {  // of none the folder cannot be listed, of one no tensors opened
        const struct rlimit few = {static_cast<rlim_t>(next + room), limit.rlim_max};
        QCOMPARE(::setrlimit(RLIMIT_NOFILE, &few), 0);
        const auto refusal = refusalOf([&] { newestCheckpoint(checkpoints, config, damaged); });
        QCOMPARE(::setrlimit(RLIMIT_NOFILE, &limit), 0);
        QVERIFY(refusal && refusal->kind == ErrorKind::io);
        QVERIFY2(refusal->says("Too many open files"), refusal->message.c_str());
        QCOMPARE(namesIn(checkpoints), before);
    }
    QVERIFY(damaged.empty());
    QCOMPARE(job_.run(request).exit_code, 0);
    QCOMPARE(resultOf(request.out), expected_);
}

/// What was damaged or removed after the end is written again, with or without --resume: from the last
/// checkpoint, or where none is left by training again. The run says so in a line.
void TestTrainingDamage::damagedResults() {
    const auto flip = [](const fs::path& file) {
        std::string bytes = contentOf(file);
        bytes[bytes.size() / 2] ^= 1;
        std::ofstream(file) << bytes;
    };
    const auto damages = std::vector<std::pair<std::string, std::function<void(const fs::path&)>>>{
        {"adapter/adapter_model.safetensors is not",
         [&](const fs::path& out) { flip(out / "adapter/adapter_model.safetensors"); }},
        {"adapter/adapter_model.safetensors is not",
         [](const fs::path& out) { fs::remove(out / "adapter/adapter_model.safetensors"); }},
        {"adapter/adapter_config.json is not", [](const fs::path& out) { fs::remove_all(out / "adapter"); }},
        {"training_log.jsonl is not", [&](const fs::path& out) { flip(out / "training_log.jsonl"); }},
        {"training_log.jsonl is not", [](const fs::path& out) { fs::remove(out / "training_log.jsonl"); }},
        {"result.json", [](const fs::path& out) { fs::resize_file(out / "result.json", 20); }},
        {"is not as result.json says",
         [](const fs::path& out) { std::ofstream(out / "result.json") << "[]"; }}};
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    TrainRequest request = job_.request(folder / "run");
    QCOMPARE(job_.run(request).exit_code, 0);
    for (const auto& [said, damage] : damages)
        for (const bool with_checkpoints : {true, false}) {
            damage(request.out);
            if (!with_checkpoints)
                fs::remove_all(request.out / "checkpoints");
            request.resume = !request.resume;
            const Outcome restored = job_.run(request);
            QVERIFY2(restored.exit_code == 0, restored.said.c_str());
            QVERIFY2(restored.said.find(said) != std::string::npos, restored.said.c_str());
            QVERIFY2(restored.said.find(with_checkpoints
                                            ? "written again from the checkpoint of step 6"
                                            : "trained again, there is no checkpoint") != std::string::npos,
                     restored.said.c_str());
            QCOMPARE(resultOf(request.out), expected_);
            const Outcome again = job_.run(request);  // and then all is there
            QVERIFY2(again.exit_code == 0 && !again.said.starts_with("warning"), again.said.c_str());
        }
}

void TestTrainingDamage::notFinite() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    TrainRequest request = job_.request(folder / "run");
    request.settings.lr = 1e30;
    const Outcome outcome = job_.run(request);
    QVERIFY2(outcome.exit_code == 1, outcome.said.c_str());
    QVERIFY2(outcome.said.starts_with("step 2: the "), outcome.said.c_str());
    QCOMPARE(namesIn(request.out / "checkpoints"), std::vector<std::string>{"step-00000001"});
    QVERIFY(!fs::exists(request.out / "adapter"));
}

/// The loss and the gradient are finite, what the step makes of them is not: no save and no adapter of it.
void TestTrainingDamage::parametersNotFinite() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    TrainRequest request = job_.request(folder / "run");
    request.settings.lr = 1e38;
    request.settings.epochs = 1;
    for (int start = 0; start < 2; ++start) {  // the second goes on from what the first left
        const Outcome outcome = job_.run(request);
        QVERIFY2(outcome.exit_code == 1, outcome.said.c_str());
        QVERIFY2(outcome.said.starts_with("step 1: the update would make parameters that are not finite"),
                 outcome.said.c_str());
        QVERIFY(namesIn(request.out / "checkpoints").empty());
        QVERIFY(!fs::exists(request.out / "adapter"));
        QVERIFY(!fs::exists(request.out / "result.json"));
    }
}

void TestTrainingDamage::whoseFolder() {
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
    for (const char* strange : {"[]", "7", "{}", "{\"mine\": 1}"}) {
        folder.put("run/train.meta.json", strange);
        refused = job_.run(job_.request(folder / "run"));
        QCOMPARE(refused.exit_code, 2);
        QVERIFY2(refused.said.find("train.meta.json is not a settings file") != std::string::npos,
                 refused.said.c_str());
    }
    // Somebody's adapter where ours would be: refused before anything of the earlier run is gone.
    request = job_.request(folder / "foreign");
    QCOMPARE(job_.run(request).exit_code, 0);
    fs::rename(folder / "foreign/adapter", folder / "ours");
    fs::create_directory(folder / "foreign/adapter");
    folder.put("foreign/adapter/notes.txt", "mine");
    request.resume = false;
    request.overwrite = true;
    const std::vector<std::string> names = namesIn(request.out);
    const std::vector<std::string> saved = namesIn(request.out / "checkpoints");
    refused = job_.run(request);
    QVERIFY2(refused.exit_code == 2 && refused.said.find("but no spd_provenance.json") != std::string::npos,
             refused.said.c_str());
    QCOMPARE(namesIn(request.out), names);
    QCOMPARE(namesIn(request.out / "checkpoints"), saved);
    fs::remove_all(folder / "foreign/adapter");
    fs::rename(folder / "ours", folder / "foreign/adapter");
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

QTEST_GUILESS_MAIN(TestTrainingDamage)
#include "tst_training_damage.moc"
