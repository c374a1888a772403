#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/io/model_config.h"

namespace spd {

/// One tensor of the load report.
struct TensorReport {
    enum class State { found, missing, wrong_shape, wrong_type, unused };
    State state = State::found;
    std::string name;
    std::string type;                     ///< "BF16" as the file spells it; empty for a missing one
    std::vector<int64_t> shape;           ///< as stored; empty for a missing one
    std::vector<int64_t> expected_shape;  ///< as config.json says; empty for an unused one
    std::string file;                     ///< name in the folder; empty for a missing one
};

std::string_view name(TensorReport::State state);

/// What a checkpoint folder holds against what its config.json asks for.
struct LoadReport {
    ModelConfig config;
    std::vector<TensorReport> tensors;  ///< the needed ones in the order of the forward pass, then the unused
    std::map<std::string, int64_t> type_counts;  ///< stored element types of the found tensors
    int64_t parameters = 0;    ///< of the model as config.json says; a tied head counts once
    int64_t stored_bytes = 0;  ///< of all tensors in the files
    int64_t file_count = 0;
    std::vector<std::string>
        problems;  ///< why Checkpoint::open() refuses it, a line each; empty when it does not

    bool loads() const { return problems.empty(); }
    int64_t count(TensorReport::State state) const;
};

/// Compares tensor by tensor and lists all that does not fit, where Checkpoint::open() throws at the first.
/// @throws Error not_found, file_format, unsupported_model where there is nothing to list: no config.json, no
/// weights,
///         a header or index that is refused; Cancelled
LoadReport inspectCheckpoint(const std::filesystem::path& folder, const JobContext& context = {});

}  // namespace spd
