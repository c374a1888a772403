// spd runs show: everything that is recorded of one run.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>

#include "app/cli/runs/runs_commands.h"
#include "app/cli/text_table.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

/// Evaluated examples of a run, by task.
struct TaskScore {
    int64_t examples = 0;
    int64_t scored = 0;
    double sum = 0;
};

std::map<std::string, TaskScore> scoresOf(const RunStore& store, const std::string& run) {
    std::map<std::string, TaskScore> tasks;
    for (const std::string& task : store.evalTasks(run))
        for (const EvalExample& example : store.evalExamples(run, task)) {
            TaskScore& score = tasks[task];
            ++score.examples;
            score.scored += example.score ? 1 : 0;
            score.sum += example.score.value_or(0);
        }
    return tasks;
}

ordered_json stagesJson(const std::vector<RecordedStage>& stages) {
    ordered_json rows = ordered_json::array();
    for (const RecordedStage& stage : stages)
        rows.push_back({{"name", stage.name},
                        {"status", name(stage.status)},
                        {"seconds", stage.seconds},
                        {"input_sha256", stage.input_sha256},
                        {"output_sha256", stage.output_sha256}});
    return rows;
}

ordered_json artifactsJson(const std::vector<Artifact>& artifacts) {
    ordered_json rows = ordered_json::array();
    for (const Artifact& artifact : artifacts)
        rows.push_back({{"kind", artifact.kind},
                        {"path", artifact.path.native()},
                        {"sha256", artifact.sha256},
                        {"size", artifact.size}});
    return rows;
}

/// A heading and the table under it, where it has rows.
void printSection(const char* heading, const TextTable& table) {
    if (!table.empty())
        std::cout << "\n" << heading << "\n" << table.text();
}

void printHead(const RunStore& store, const RunRecord& run) {
    TextTable table;
    table.addColumn("run");
    table.addColumn(run.id);
    table.addRow({"name", printable(run.experiment + "/" + run.name, 1000)});
    table.addRow({"status", std::string(name(run.status)) + (run.deleted_ms ? ", deleted" : "")});
    if (!run.error.empty())
        table.addRow({"error", printable(run.error, 1000)});
    table.addRow({"method", printable(run.method)});
    table.addRow({"seed", run.seed ? fmt::format("{}", *run.seed) : "not told"});
    if (!run.point.empty())
        table.addRow({"point", printable(run.point, 1000)});
    const std::string starts = run.starts > 1 ? fmt::format(", started {} times", run.starts) : "";
    table.addRow({"started", timeText(run.start_ms) + " UTC" + starts});
    if (run.seconds > 0)
        table.addRow({"took", durationText(run.seconds)});
    table.addRow({run.imported ? "adopted from" : "folder", printable(run.folder.native(), 1000)});
    if (run.deleted_ms && !run.trash.empty())
        table.addRow({"now in", printable(run.trash.native(), 1000)});
    for (const KeyValue& tag : store.tags(run.id))
        table.addRow({"tag", printable(tag.key) + (tag.value.empty() ? "" : " = " + printable(tag.value))});
    if (!run.note.empty())
        table.addRow({"note", printable(run.note, 2000)});
    table.addRow({"made by", fmt::format("{}, SQLite {}", printable(run.program),
                                         printable(run.sqlite.substr(0, run.sqlite.find(' '))))});
    std::cout << table.text();
}

void printStages(const RunStore& store, const std::string& run) {
    TextTable table;
    table.addColumn("stage");
    table.addColumn("status");
    table.addColumn("took", TextTable::Align::right);
    table.addColumn("output");
    for (const RecordedStage& stage : store.stages(run))
        table.addRow({printable(stage.name), std::string(name(stage.status)), durationText(stage.seconds),
                      stage.output_sha256.substr(0, 12)});
    printSection("Stages", table);
}

void printNumbers(const RunStore& store, const std::string& run) {
    TextTable metrics;
    metrics.addColumn("metric");
    metrics.addColumn("last", TextTable::Align::right);
    metrics.addColumn("at step", TextTable::Align::right);
    for (const Metric& metric : store.finalMetrics(run))
        metrics.addRow({printable(metric.key), numberText(metric.value), fmt::format("{}", metric.step)});
    printSection("Metrics", metrics);
    TextTable tasks;
    tasks.addColumn("task");
    tasks.addColumn("examples", TextTable::Align::right);
    tasks.addColumn("mean score", TextTable::Align::right);
    for (const auto& [task, score] : scoresOf(store, run))
        tasks.addRow({printable(task), fmt::format("{}", score.examples),
                      score.scored > 0 ? numberText(score.sum / static_cast<double>(score.scored)) : "none"});
    printSection("Evaluated examples", tasks);
}

void printTables(const RunStore& store, const RunRecord& run) {
    printHead(store, run);
    printStages(store, run.id);
    printNumbers(store, run.id);
    TextTable params;
    params.addColumn("param");
    params.addColumn("value");
    for (const KeyValue& param : store.params(run.id))
        params.addRow({printable(param.key), printable(param.value)});
    printSection("Params", params);
    TextTable artifacts;
    artifacts.addColumn("kind");
    artifacts.addColumn("bytes", TextTable::Align::right);
    artifacts.addColumn("SHA-256");
    artifacts.addColumn("file");
    for (const Artifact& artifact : store.artifacts(run.id))
        artifacts.addRow({printable(artifact.kind), fmt::format("{}", artifact.size),
                          artifact.sha256.substr(0, 12), printable(artifact.path.native(), 1000)});
    printSection("Artifacts", artifacts);
}

}  // namespace

ordered_json showJson(const RunStore& store, const RunRecord& run) {
    ordered_json json = toJson(run);
    json["tags"] = toJson(store.tags(run.id));
    json["params"] = toJson(store.params(run.id));
    json["metrics"] = ordered_json::object();
    for (const Metric& metric : store.finalMetrics(run.id))
        json["metrics"][metric.key] = {{"step", metric.step}, {"value", toJson(metric.value)}};
    json["stages"] = stagesJson(store.stages(run.id));
    json["artifacts"] = artifactsJson(store.artifacts(run.id));
    json["evaluated"] = ordered_json::object();
    for (const auto& [task, score] : scoresOf(store, run.id))
        json["evaluated"][task] = {
            {"examples", score.examples}, {"scored", score.scored}, {"score_sum", score.sum}};
    json["lineage"] = ordered_json::array();
    for (const LineageEdge& edge : store.lineage(run.id))
        json["lineage"].push_back({{"from", edge.from_kind},
                                   {"from_sha256", edge.from_sha256},
                                   {"to", edge.to_kind},
                                   {"to_sha256", edge.to_sha256}});
    return json;
}

void addRunsShow(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto run = std::make_shared<std::string>();
    CLI::App* command = runs.add_subcommand("show", "Everything that is recorded of one run");
    addCommonOptions(*command, common);
    command->add_option("RUN", *run, "Its id or name, or how they begin")->required();
    command->callback([run, &chosen] {
        chosen = [run](const CommonOptions& options, const JobContext&) {
            const RunStore store = openStore(options);
            const RunRecord found = store.findRun(*run);
            if (options.json)
                printJson(showJson(store, found));
            else
                printTables(store, found);
            return 0;
        };
    });
}

}  // namespace spd::cli
