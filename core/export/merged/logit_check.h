#pragma once

#include <filesystem>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/intervene/intervention.h"
#include "core/io/checkpoint.h"

namespace spd {

struct LogitCheck {
    DType dtype = DType::float32;  ///< what both models computed in
    double difference = 0;         ///< largest, over that of the logits where they are above 1
};

/// The type that the check runs in: float32, or bfloat16 where there is no memory for that.
/// @throws Error out_of_memory where there is none for either
DType logitCheckType(const ModelConfig& config);

/// The logits of a few fixed tokens, computed with `base` and `intervention` and with the checkpoint in
/// `merged`, one model after the other.
/// @throws Error as CausalLm::load(); internal (logits that are not finite); Cancelled
LogitCheck compareLogits(const Checkpoint& base, const Intervention& intervention,
                         const std::filesystem::path& merged, DType dtype, const JobContext& context);

}  // namespace spd
