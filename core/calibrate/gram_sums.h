#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "core/base/job_context.h"
#include "core/calibrate/calibration_settings.h"
#include "core/subspace/subspace.h"

namespace spd {

/// Gram matrices of one target so far.
struct TargetSums {
    /// G^T G of the examples with an even and with an odd number, [w, w]; one a head, or one.
    std::vector<std::array<Eigen::MatrixXd, 2>> heads;
    int64_t rows = 0;
    int64_t nonzero_rows = 0;
};

/// All that calibration keeps of the examples that it has been through: memory depends on the model and the
/// layers, never on how many examples or tokens there were.
struct GramSums {
    std::map<KvTarget, TargetSums> targets;
    std::vector<CalibrationRecord> examples;  ///< done, in order; their number decides even and odd
    int64_t threads = 0;                      ///< that the last of them was computed with; 0: unknown
};

/// Zeros for K and V of every layer of the settings.
GramSums emptySums(const ModelConfig& config, const CalibrationSettings& settings);

/// Bytes of the sums and of the spectra that come out of them.
int64_t gramBytes(const ModelConfig& config, const CalibrationSettings& settings);

/// The spectra of every target, `threads` targets at a time. Gives up the sums as it goes.
/// @throws Error; Cancelled between two targets
std::map<KvTarget, TargetSubspace> spectraOf(GramSums sums, int threads, const JobContext& context);

}  // namespace spd
