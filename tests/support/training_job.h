#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/pipeline/train.h"
#include "tests/support/failing_calls.h"
#include "tests/support/temporary_folder.h"

namespace spd::test {

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
    TrainingJob();

    /// Six steps of three rows, with held-out rows; a checkpoint every second step. It resumes.
    TrainRequest request(const std::filesystem::path& out) const;

    /// @param stop_after  steps, or 0 for the first message: then the run is asked to stop; -1: never.
    Outcome run(const TrainRequest& request, const Fault& fault = {}, int stop_after = -1) const;

private:
    [[noreturn]] static void work(const TrainRequest& request, const Fault& fault, int stop_after,
                                  int answer);

    TemporaryFolder folder_;
};

/// The log without its wall clock.
std::string losses(const std::filesystem::path& out);
/// Names and bytes of the adapter's files, the losses and result.json.
std::string resultOf(const std::filesystem::path& out);
std::vector<std::string> namesIn(const std::filesystem::path& folder);

}  // namespace spd::test
