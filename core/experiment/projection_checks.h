#pragma once

#include "core/experiment/run_plan.h"
#include "core/io/model_config.h"

namespace spd {

/// What of [projection] only the model and the rank file decide, before anything is measured: that the layers
/// are among the measured ones, and that the ranks are there and not above the width of K and V. The numeric
/// rank is known only afterwards.
/// @throws Error as refusalAt(): invalid_argument; not_found, file_format, io for the rank file
void checkProjection(const ExperimentFile& file, const PlannedRun& run, const ModelConfig& config);

}  // namespace spd
