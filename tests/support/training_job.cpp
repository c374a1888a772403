#include "tests/support/training_job.h"

#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "core/base/error.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/tiny_checkpoint.h"

namespace spd::test {
namespace fs = std::filesystem;
namespace {

/// result.json without the hash of the log, which holds the wall clock.
std::string sayingOf(const fs::path& out) {
    auto result = nlohmann::ordered_json::parse(contentOf(out / "result.json"));
    result["files"]["training_log.jsonl"].erase("sha256");
    result["files"]["training_log.jsonl"].erase("size");
    return result.dump();
}

}  // namespace

TrainingJob::TrainingJob() : folder_(TemporaryFolder::On::memory) {
    fs::create_directory(folder_ / "model");
    writeTinyCheckpoint(folder_ / "model", tinyConfig(ModelFamily::qwen2), 3);
    folder_.put("model/tokenizer.json", smallTokenizer().dump());
    std::string rows;
    for (int row = 0; row < 11; ++row)
        rows +=
            R"({"prompt":"say )" + std::string(static_cast<size_t>(3 + row), static_cast<char>('a' + row)) +
            R"(","completion":"the )" + std::to_string(row * row) + R"( of )" + std::to_string(row) + "\"}\n";
    folder_.put("corpus.jsonl", rows);
}

TrainRequest TrainingJob::request(const fs::path& out) const {
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

Outcome TrainingJob::run(const TrainRequest& request, const Fault& fault, int stop_after) const {
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

void TrainingJob::work(const TrainRequest& request, const Fault& fault, int stop_after, int answer) {
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

std::string resultOf(const fs::path& out) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(out / "adapter"))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::string bytes;
    for (const fs::path& file : files)
        bytes += file.filename().native() + "\n" + contentOf(file);
    return bytes + losses(out) + sayingOf(out);
}

std::vector<std::string> namesIn(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace spd::test
