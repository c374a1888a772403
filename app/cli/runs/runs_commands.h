#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/cli/common_options.h"
#include "core/store/run_store.h"

namespace spd::cli {

// The subcommands of `spd runs`, each as those of commands.h.
void addRunsList(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsShow(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsCompare(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsTag(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsNote(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsQuery(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsImport(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsCheck(CLI::App& runs, CommonOptions& options, Command& chosen);
void addRunsDelete(CLI::App& runs, CommonOptions& options, Command& chosen);

/// The workspace's database; what it has to say goes to standard error. A command that only looks makes none.
/// @throws Error not_found where there is none and `make` is false
RunStore openStore(const CommonOptions& options, bool make = false);
bool hasStore(const CommonOptions& options);

/// One line on standard output. Bytes that are no UTF-8 are replaced.
void printJson(const nlohmann::ordered_json& json);

/// Which runs a list has.
struct RunListRequest {
    std::string experiment;  ///< how their experiments begin
    int64_t limit = 50;      ///< the newest; 0: all
    bool deleted = false;    ///< those in the trash folder instead
};
/// @param all  how many there are without the limit.
std::vector<RunRecord> selectedRuns(const RunStore& store, const RunListRequest& request, size_t& all);

// What the subcommands print with --json.
nlohmann::ordered_json listJson(const RunStore& store, const std::vector<RunRecord>& runs);
nlohmann::ordered_json showJson(const RunStore& store, const RunRecord& run);
nlohmann::ordered_json compareJson(const RunStore& store, const std::vector<RunRecord>& runs);

nlohmann::ordered_json toJson(const RunRecord& run);
nlohmann::ordered_json toJson(const std::vector<KeyValue>& pairs);
/// A number; "nan", "inf", "-inf" for what JSON has no number for.
nlohmann::ordered_json toJson(double value);

/// "2026-11-25 10:15" in UTC.
std::string timeText(int64_t milliseconds);
/// "42 s", "3 min 5 s", "2 h 7 min".
std::string durationText(double seconds);
/// Six significant digits.
std::string numberText(double value);

}  // namespace spd::cli
