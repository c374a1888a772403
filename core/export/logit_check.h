#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/intervene/intervention.h"
#include "core/io/checkpoint.h"

namespace spd {

struct LogitCheck {
    DType dtype = DType::float32;  ///< what both sides computed in
    double difference = 0;         ///< largest, over that of the logits where they are above 1
};

/// The model that an export is computed with before and after it was written.
struct CheckModel {
    Checkpoint checkpoint;
    DType dtype = DType::float32;  ///< as logitCheckType() says
};

/// The type that the check runs in: float32, or bfloat16 where there is no memory for that.
/// @throws Error out_of_memory where there is none for either
DType logitCheckType(const ModelConfig& config);

/// Opens the model in `folder` for a check. Nothing where it has no weights or the memory does not do, unless
/// it is `required`: then that is an error.
/// @param why_not  gets the reason of nothing.
/// @throws Error as Checkpoint::open(), logitCheckType(); Cancelled
std::optional<CheckModel> openCheckModel(const std::filesystem::path& folder, bool required,
                                         std::string& why_not, const JobContext& context);

/// The logits of a few fixed tokens, computed with `base` and `intervention` and with the checkpoint in
/// `merged`, one model after the other.
/// @throws Error as CausalLm::load(); internal (logits that are not finite); Cancelled
LogitCheck compareLogits(const Checkpoint& base, const Intervention& intervention,
                         const std::filesystem::path& merged, DType dtype, const JobContext& context);

/// The same with two interventions on one model. The second half of the tokens counts as new (ProjectWhen).
LogitCheck compareLogits(const CheckModel& model, const Intervention& before, const Intervention& after,
                         const JobContext& context);

/// Float32 sums in another order are all that may differ. Nothing is promised of bfloat16.
/// @param what  "the merged model differ from base + adapter"
/// @throws Error internal
void requireSameLogits(const LogitCheck& check, const std::string& what);

}  // namespace spd
