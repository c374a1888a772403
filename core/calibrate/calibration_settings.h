#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/calibration_examples.h"
#include "core/io/model_config.h"
#include "core/subspace/subspace.h"

namespace spd {

/// Whose prediction the loss of a calibration example is the mean over (paper Eq. 6 and Table 5).
enum class CalibrationLoss {
    aligned,          ///< the correctness span
    full_sequence,    ///< every token but the first
    full_completion,  ///< every token of the completion
};

constexpr std::string_view name(CalibrationLoss loss) {
    return loss == CalibrationLoss::aligned         ? "aligned"
           : loss == CalibrationLoss::full_sequence ? "full_sequence"
                                                    : "full_completion";
}

/// @throws Error invalid_argument
CalibrationLoss parseCalibrationLoss(std::string_view text);
KvSite parseKvSite(std::string_view text);

/// What is measured.
struct CalibrationSettings {
    CalibrationLoss loss = CalibrationLoss::aligned;
    KvSite site = KvSite::proj;   ///< of K; V is taken at v_proj
    bool per_head = false;        ///< one basis a KV head instead of one of all heads side by side
    std::vector<int64_t> layers;  ///< ascending, unique, at least one
};

/// @throws Error invalid_argument: a site or layers that the model lacks
void checkFits(const CalibrationSettings& settings, const ModelConfig& config);

/// Positions t of the tokens in the loss, ascending, each from 1 to T - 1, at least one.
/// @throws Error invalid_argument: full_completion of an example that came as ids, whose completion nobody
/// knows
std::vector<int64_t> lossPositions(const CalibrationExample& example, CalibrationLoss loss);

}  // namespace spd
