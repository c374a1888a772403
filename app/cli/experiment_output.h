#pragma once

#include <string>
#include <vector>

#include "core/experiment/forecast/dry_run.h"
#include "core/pipeline/run_experiment.h"

namespace spd::cli {

/// One line for a stage that has ended.
std::string describe(const StageOutcome& stage);

/// Tables of the stages and of the results, or JSON.
std::string describe(const ExperimentOutcome& outcome, bool json);

/// A table of what each run would do, or JSON.
std::string describe(const std::vector<DryRun>& runs, const MachineRates& here, const MachineRates& other,
                     bool json);

}  // namespace spd::cli
