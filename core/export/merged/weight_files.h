#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/export/merged/merged_weights.h"

namespace spd {

/// The safetensors files of a checkpoint and the tensors in each, in the order of the forward pass.
struct WeightFile {
    std::string name;
    std::vector<ExpectedTensor> tensors;
    int64_t bytes = 0;
};

/// One model.safetensors where all tensors fit into `most_bytes`, else model-00001-of-0000N.safetensors with
/// as many tensors each as fit (one at least).
std::vector<WeightFile> planWeightFiles(const std::vector<ExpectedTensor>& tensors,
                                        const MergedWeights& weights, int64_t most_bytes);

/// Writes the files and, where there are several, model.safetensors.index.json.
/// @throws Error io; Cancelled
void writeWeightFiles(const std::filesystem::path& folder, const std::vector<WeightFile>& files,
                      MergedWeights& weights, const JobContext& context);

/// Reads every tensor of the checkpoint in `folder` and holds it against what is merged once more.
/// @throws Error internal (a byte that differs), as Checkpoint::open(); Cancelled
void compareWeightFiles(const std::filesystem::path& folder, const std::vector<ExpectedTensor>& tensors,
                        MergedWeights& weights, const JobContext& context);

}  // namespace spd
