#pragma once

#include "app/cli/common_options.h"

namespace spd::cli {

// One subcommand a file. Each adds its options to `app` and sets `chosen` when it was picked on the command
// line. The referenced objects outlive parsing.
void addDoctor(CLI::App& app, CommonOptions& options, Command& chosen);
void addEngine(CLI::App& app, CommonOptions& options, Command& chosen);
void addInspect(CLI::App& app, CommonOptions& options, Command& chosen);
void addTokenize(CLI::App& app, CommonOptions& options, Command& chosen);
void addGenerate(CLI::App& app, CommonOptions& options, Command& chosen);
void addForward(CLI::App& app, CommonOptions& options, Command& chosen);
void addRuns(CLI::App& app, CommonOptions& options, Command& chosen);
void addTrain(CLI::App& app, CommonOptions& options, Command& chosen);
void addRun(CLI::App& app, CommonOptions& options, Command& chosen);
void addExport(CLI::App& app, CommonOptions& options, Command& chosen);
void addCalibrate(CLI::App& app, CommonOptions& options, Command& chosen);

}  // namespace spd::cli
