#pragma once

#include <optional>
#include <string>

#include "app/cli/common_options.h"
#include "core/export/logit_check.h"
#include "core/export/peft_adapter.h"
#include "core/export/projection_hook.h"
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

/// The adapter that is exported: of a run, or of a folder in its place; empty: the request's own.
/// @throws Error invalid_argument, not_found; as recordedAdapter()
void chooseAdapter(const std::string& run, const CommonOptions& common, PeftExportRequest& request);
/// The projection that is exported, likewise. @param given_setting  the name of one that was given; empty:
/// none was. @throws Error invalid_argument, not_found; as recordedProjection()
void chooseProjection(const std::string& run, const std::string& given_setting, const CommonOptions& common,
                      HookExportRequest& request);

/// What was compared, for the line behind "read again, ": ends without a full stop.
/// @param sides  "base + adapter"
std::string comparisonText(const std::optional<LogitCheck>& logits, const std::string& why_not,
                           const std::string& sides);

}  // namespace spd::cli
