#pragma once

#include <string>

#include "core/pipeline/open_intervention.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace spd::cli {

/// Adds the intervention options, the same on every command that runs a model (design: intervention options).
/// @param request  filled while parsing; outlives it.
void addInterventionOptions(CLI::App& command, InterventionRequest& request);

/// Those of a projection alone. @return --subspace
CLI::Option* addProjectionOptions(CLI::App& command, InterventionRequest& request);

/// Prints "spd: warning: ..." on standard error.
void printWarning(const std::string& warning);

}  // namespace spd::cli
