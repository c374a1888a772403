#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "core/evaluate/results.h"
#include "core/pipeline/experiment/run_stages.h"

namespace spd {

/// What the stages before have made; what was not made is empty.
struct MadeArtifacts {
    std::filesystem::path subspace;
    std::string subspace_sha256;
    std::filesystem::path adapter;
    std::string adapter_sha256;
};

/// Evaluation number `index` of the run, skipped where its results are there: "trained" with the adapter and
/// no hook, "generating" as the method makes its corpus. Its results are recorded in both cases.
/// @throws Error; Cancelled
EvalResult runEvaluation(const RunContext& context, size_t index, const MadeArtifacts& made);

}  // namespace spd
