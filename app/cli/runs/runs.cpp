// spd runs: what was done, out of the run database.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <iostream>

#include "app/cli/commands.h"
#include "app/cli/runs/runs_commands.h"

namespace spd::cli {

using nlohmann::ordered_json;

void addRuns(CLI::App& app, CommonOptions& common, Command& chosen) {
    CLI::App* runs = app.add_subcommand("runs", "List, compare, tag, query, import and delete recorded runs");
    addCommonOptions(*runs, common);
    runs->require_subcommand(1);
    addRunsList(*runs, common, chosen);
    addRunsShow(*runs, common, chosen);
    addRunsCompare(*runs, common, chosen);
    addRunsTag(*runs, common, chosen);
    addRunsNote(*runs, common, chosen);
    addRunsQuery(*runs, common, chosen);
    addRunsImport(*runs, common, chosen);
    addRunsCheck(*runs, common, chosen);
    addRunsDelete(*runs, common, chosen);
}

bool hasStore(const CommonOptions& options) {
    std::error_code unknown;
    return std::filesystem::exists(
        std::filesystem::symlink_status(options.workspace / "spd.sqlite", unknown));
}

RunStore openStore(const CommonOptions& options, bool make) {
    if (!make && !hasStore(options))
        throw Error(ErrorKind::not_found, fmt::format("{}: no run was recorded there yet",
                                                      printable(options.workspace.native(), 1000)));
    RunStore store = RunStore::open(options.workspace);
    for (const std::string& notice : store.notices())
        std::cerr << "spd: note: " << notice << "\n";
    return store;
}

void printJson(const ordered_json& json) {
    std::cout << json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

ordered_json toJson(const RunRecord& run) {
    ordered_json json = {{"id", run.id},
                         {"experiment", run.experiment},
                         {"name", run.name},
                         {"method", run.method},
                         {"seed", nullptr},
                         {"point", run.point},
                         {"status", name(run.status)},
                         {"start_ms", run.start_ms},
                         {"end_ms", nullptr},
                         {"seconds", run.seconds},
                         {"starts", run.starts},
                         {"folder", run.folder.native()},
                         {"imported", run.imported},
                         {"error", run.error},
                         {"note", run.note},
                         {"program", run.program},
                         {"sqlite", run.sqlite}};
    if (run.seed)
        json["seed"] = *run.seed;
    if (run.end_ms)
        json["end_ms"] = *run.end_ms;
    if (run.deleted_ms) {
        json["deleted_ms"] = *run.deleted_ms;
        json["trash"] = run.trash.native();
    }
    return json;
}

ordered_json toJson(const std::vector<KeyValue>& pairs) {
    ordered_json json = ordered_json::object();
    for (const KeyValue& pair : pairs)
        json[pair.key] = pair.value;
    return json;
}

ordered_json toJson(double value) {
    if (std::isfinite(value))
        return value;
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

std::string timeText(int64_t milliseconds) {
    const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(milliseconds)};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

std::string durationText(double seconds) {
    const auto whole = static_cast<int64_t>(std::llround(seconds));
    if (whole < 60)
        return seconds < 10 ? fmt::format("{:.1f} s", seconds) : fmt::format("{} s", whole);
    if (whole < 3600)
        return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string numberText(double value) {
    return fmt::format("{:.6g}", value);
}

}  // namespace spd::cli
