// spd runs list: a line for each run.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/cli/runs/runs_commands.h"
#include "app/cli/text_table.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

std::string tagsText(const std::vector<KeyValue>& tags) {
    std::string text;
    for (const KeyValue& tag : tags)
        text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", printable(tag.key),
                            tag.value.empty() ? "" : "=", printable(tag.value));
    return text;
}

void printTable(const RunStore& store, const std::vector<RunRecord>& runs, size_t hidden) {
    TextTable table;
    for (const char* heading : {"id", "experiment", "run", "status", "started (UTC)"})
        table.addColumn(heading);
    table.addColumn("took", TextTable::Align::right);
    table.addColumn("tags");
    for (const RunRecord& run : runs)
        table.addRow({run.id, printable(run.experiment), printable(run.name), std::string(name(run.status)),
                      timeText(run.start_ms), run.seconds > 0 ? durationText(run.seconds) : "",
                      tagsText(store.tags(run.id))});
    std::cout << table.text();
    if (hidden > 0)
        std::cout << fmt::format("and {} earlier ones (--limit 0 shows all)\n", hidden);
}

int list(const RunListRequest& request, const CommonOptions& common) {
    if (!hasStore(common)) {
        if (common.json)
            printJson(ordered_json::array());
        else
            std::cout << fmt::format("no run was recorded in {} yet\n",
                                     printable(common.workspace.native(), 1000));
        return 0;
    }
    const RunStore store = openStore(common);
    size_t all = 0;
    const std::vector<RunRecord> runs = selectedRuns(store, request, all);
    if (common.json) {
        printJson(listJson(store, runs));
    } else if (runs.empty()) {
        std::cout << "no such run\n";
    } else {
        printTable(store, runs, all - runs.size());
    }
    return 0;
}

}  // namespace

std::vector<RunRecord> selectedRuns(const RunStore& store, const RunListRequest& request, size_t& all) {
    std::vector<RunRecord> runs = store.runs("", request.deleted);
    std::erase_if(runs, [&](const RunRecord& run) {
        return !run.experiment.starts_with(request.experiment) || (request.deleted && !run.deleted_ms);
    });
    all = runs.size();
    if (request.limit > 0 && all > static_cast<size_t>(request.limit))
        runs.erase(runs.begin(), runs.end() - request.limit);
    return runs;
}

ordered_json listJson(const RunStore& store, const std::vector<RunRecord>& runs) {
    ordered_json rows = ordered_json::array();
    for (const RunRecord& run : runs) {
        rows.push_back(toJson(run));
        rows.back()["tags"] = toJson(store.tags(run.id));
    }
    return rows;
}

void addRunsList(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto request = std::make_shared<RunListRequest>();
    CLI::App* command = runs.add_subcommand("list", "A line for each run, the newest last");
    addCommonOptions(*command, common);
    command->add_option("--experiment", request->experiment, "Only those of experiments that begin so");
    command->add_option("--limit", request->limit, "At most so many, the newest; 0: all")
        ->check(CLI::Range(int64_t{0}, int64_t{1} << 40))
        ->capture_default_str();
    command->add_flag("--deleted", request->deleted, "Those in the trash folder instead");
    command->callback([request, &chosen] {
        chosen = [request](const CommonOptions& options, const JobContext&) {
            return list(*request, options);
        };
    });
}

}  // namespace spd::cli
