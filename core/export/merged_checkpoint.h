#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/base/on_warning.h"
#include "core/export/logit_check.h"
#include "core/export/merged/merged_weights.h"

namespace spd {

struct MergeRequest {
    std::filesystem::path adapter;  ///< folder with adapter_config.json
    std::string base;  ///< MODEL as locateModel() takes it; empty: the one that the adapter names
    std::filesystem::path workspace;
    std::filesystem::path out;   ///< folder
    std::optional<DType> dtype;  ///< of every weight; nothing: as each is stored
    bool overwrite = false;
    int64_t most_file_bytes = 5'000'000'000;  ///< weights are split into files of at most this size
    OnWarning on_warning;
};

struct MergeSummary {
    int64_t tensors = 0;
    int64_t merged = 0;  ///< of these, with LoRA
    int64_t files = 0;   ///< of weights
    int64_t bytes = 0;
    std::vector<RoundingLoss> losses;  ///< of those stored in 16 bits
    LogitCheck logits;                 ///< against base + adapter
};

/// Writes the checkpoint base + adapter, as transformers' from_pretrained() loads it: weights merged in more
/// than float32 and rounded once, a tied head left tied, every other weight and file as it was. All of it is
/// read again and held against the merge byte by byte, and the logits of a few tokens against base + adapter,
/// before it appears under its name; killed at any moment, there is the old folder or the whole new one.
/// Memory: a piece of a tensor, then one model for the logits.
/// Warns where rounding loses more than a tenth of the adapter.
/// @throws Error as readAdapter(), locateModel(), Checkpoint::open(), openExportFolder(); io (also when the
/// disk has no room); out_of_memory; internal (what was read again differs); Cancelled
MergeSummary exportMerged(const MergeRequest& request, const JobContext& context);

}  // namespace spd
