#pragma once

#include "app/cli/common_options.h"

namespace spd::cli {

// The subcommands of `spd export`, each as those of commands.h.
void addExportHook(CLI::App& exports, CommonOptions& options, Command& chosen);
void addExportMerged(CLI::App& exports, CommonOptions& options, Command& chosen);
void addExportPeft(CLI::App& exports, CommonOptions& options, Command& chosen);
void addExportCorpus(CLI::App& exports, CommonOptions& options, Command& chosen);

}  // namespace spd::cli
