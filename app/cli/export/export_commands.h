#pragma once

#include <optional>
#include <string>

#include "app/cli/common_options.h"
#include "core/export/logit_check.h"
#include "core/store/run_store.h"

namespace spd::cli {

// The subcommands of `spd export`, each as those of commands.h.
void addExportHook(CLI::App& exports, CommonOptions& options, Command& chosen);
void addExportMerged(CLI::App& exports, CommonOptions& options, Command& chosen);
void addExportPeft(CLI::App& exports, CommonOptions& options, Command& chosen);
void addExportCorpus(CLI::App& exports, CommonOptions& options, Command& chosen);

/// RUN of an export where it names no folder, and the database that has it.
struct ExportedRun {
    RunStore store;
    RunRecord run;
};
/// @throws Error not_found; as RunStore::findRun()
ExportedRun findExportedRun(const std::string& text, const CommonOptions& common);

/// What was compared, for the line behind "read again, ": ends without a full stop.
/// @param sides  "base + adapter"
std::string comparisonText(const std::optional<LogitCheck>& logits, const std::string& why_not,
                           const std::string& sides);

}  // namespace spd::cli
