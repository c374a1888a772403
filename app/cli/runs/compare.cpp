// spd runs compare: what differs between runs, and nothing else.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include "app/cli/runs/runs_commands.h"
#include "app/cli/text_table.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

/// One key of one kind, a cell for each run; none where the run has no such key.
struct Row {
    std::string kind;  ///< "param", "metric", "tag"
    std::string key;
    std::vector<std::optional<std::string>> cells;  ///< for people
    std::vector<ordered_json> values;               ///< for scripts
};

/// Rows in the order in which their keys are first met.
class Rows {
public:
    explicit Rows(size_t runs) : runs_(runs) {}

    void add(const std::string& kind, const std::string& key, size_t run, std::string cell,
             ordered_json value) {
        const auto [at, is_new] = index_.try_emplace({kind, key}, rows_.size());
        if (is_new) {
            Row row{kind, key, {}, {}};
            row.cells.resize(runs_);
            row.values.resize(runs_);
            rows_.push_back(std::move(row));
        }
        rows_[at->second].cells[run] = std::move(cell);
        rows_[at->second].values[run] = std::move(value);
    }

    std::vector<Row> differing() const {
        std::vector<Row> rows;
        for (const char* kind : {"param", "metric", "tag"})
            for (const Row& row : rows_)
                if (row.kind == kind && std::adjacent_find(row.values.begin(), row.values.end(),
                                                           std::not_equal_to<>()) != row.values.end())
                    rows.push_back(row);
        return rows;
    }

private:
    size_t runs_;
    std::vector<Row> rows_;
    std::map<std::pair<std::string, std::string>, size_t> index_;
};

std::vector<Row> differences(const RunStore& store, const std::vector<RunRecord>& runs) {
    Rows rows(runs.size());
    for (size_t i = 0; i < runs.size(); ++i) {
        rows.add("param", "method", i, runs[i].method, runs[i].method);
        if (runs[i].seed)
            rows.add("param", "seed", i, fmt::format("{}", *runs[i].seed), fmt::format("{}", *runs[i].seed));
        for (const KeyValue& param : store.params(runs[i].id))
            rows.add("param", param.key, i, param.value, param.value);
        for (const Metric& metric : store.finalMetrics(runs[i].id))
            rows.add("metric", metric.key, i, numberText(metric.value), toJson(metric.value));
        for (const KeyValue& tag : store.tags(runs[i].id))
            rows.add("tag", tag.key, i, tag.value.empty() ? "set" : tag.value, tag.value);
    }
    return rows.differing();
}

void printComparison(const std::vector<RunRecord>& runs, const std::vector<Row>& rows) {
    if (rows.empty()) {
        std::cout << "no param, final metric or tag differs\n";
        return;
    }
    TextTable table;
    table.addColumn("");
    table.addColumn("");
    for (const RunRecord& run : runs)
        table.addColumn(run.id);
    std::vector<std::string> names = {"run", ""};
    for (const RunRecord& run : runs)
        names.push_back(printable(run.name));
    table.addRow(names);
    for (const Row& row : rows) {
        std::vector<std::string> cells = {row.kind, printable(row.key)};
        for (const auto& cell : row.cells)
            cells.push_back(cell ? printable(*cell, 60) : "-");
        table.addRow(std::move(cells));
    }
    std::cout << table.text();
}

int compare(const std::vector<std::string>& texts, const CommonOptions& common) {
    const RunStore store = openStore(common);
    std::vector<RunRecord> runs;
    for (const std::string& text : texts)
        runs.push_back(store.findRun(text));
    if (!common.json) {
        printComparison(runs, differences(store, runs));
        return 0;
    }
    printJson(compareJson(store, runs));
    return 0;
}

}  // namespace

ordered_json compareJson(const RunStore& store, const std::vector<RunRecord>& runs) {
    ordered_json json = {{"runs", ordered_json::array()}, {"differences", ordered_json::array()}};
    for (const RunRecord& run : runs)
        json["runs"].push_back({{"id", run.id}, {"experiment", run.experiment}, {"name", run.name}});
    for (const Row& row : differences(store, runs))
        json["differences"].push_back({{"kind", row.kind}, {"key", row.key}, {"values", row.values}});
    return json;
}

void addRunsCompare(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto texts = std::make_shared<std::vector<std::string>>();
    CLI::App* command =
        runs.add_subcommand("compare", "Params, final metrics and tags that differ between runs");
    addCommonOptions(*command, common);
    command->add_option("RUN", *texts, "Two or more: ids or names, or how they begin")
        ->required()
        ->expected(2, 100);
    command->callback([texts, &chosen] {
        chosen = [texts](const CommonOptions& options, const JobContext&) {
            return compare(*texts, options);
        };
    });
}

}  // namespace spd::cli
