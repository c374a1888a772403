// spd runs query: SQL that only reads, answered as CSV.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <iostream>
#include <memory>

#include "app/cli/runs/runs_commands.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

/// RFC 4180, with lines that end in LF: quoted where it has to be, and where an empty text is not NULL.
std::string csvCell(const std::optional<std::string>& cell) {
    if (!cell)
        return "";
    if (!cell->empty() && cell->find_first_of(",\"\r\n") == std::string::npos)
        return *cell;
    std::string quoted = "\"";
    for (const char c : *cell)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string csvLine(const std::vector<std::optional<std::string>>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
        line += i > 0 ? "," : "";
        line += csvCell(cells[i]);
    }
    return line + "\n";
}

ordered_json jsonCell(const std::optional<std::string>& cell, char type) {
    if (!cell)
        return nullptr;
    if (type == 'i') {
        int64_t value = 0;
        std::from_chars(cell->data(), cell->data() + cell->size(), value);
        return value;
    }
    if (type == 'r') {
        double value = 0;
        std::from_chars(cell->data(), cell->data() + cell->size(), value);
        return toJson(value);
    }
    return *cell;
}

int query(const std::string& sql, const QueryLimits& limits, const CommonOptions& common) {
    const RunStore store = openStore(common);
    const QueryResult result = store.query(sql, limits);
    if (common.json) {
        ordered_json json = {
            {"columns", result.columns}, {"rows", ordered_json::array()}, {"cut", result.cut}};
        for (size_t i = 0; i < result.rows.size(); ++i) {
            ordered_json row = ordered_json::array();
            for (size_t k = 0; k < result.rows[i].size(); ++k)
                row.push_back(jsonCell(result.rows[i][k], result.types[i][k]));
            json["rows"].push_back(std::move(row));
        }
        printJson(json);
    } else {
        std::cout << csvLine({result.columns.begin(), result.columns.end()});
        for (const auto& row : result.rows)
            std::cout << csvLine(row);
    }
    if (result.cut)
        std::cerr << fmt::format("spd: note: only the first {} rows (--limit)\n", limits.rows);
    return 0;
}

}  // namespace

void addRunsQuery(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto sql = std::make_shared<std::string>();
    auto limits = std::make_shared<QueryLimits>();
    CLI::App* command = runs.add_subcommand(
        "query",
        "Answer one SELECT as CSV; tables: experiments, runs, params, metrics, tags, artifacts, stages, "
        "eval_examples, lineage");
    addCommonOptions(*command, common);
    command->add_option("SQL", *sql, "A SELECT, WITH or VALUES")->required();
    command->add_option("--limit", limits->rows, "Most rows")
        ->check(CLI::Range(int64_t{1}, int64_t{10'000'000}))
        ->capture_default_str();
    command->add_option("--seconds", limits->seconds, "Most seconds")
        ->check(CLI::Range(0.01, 3600.0))
        ->capture_default_str();
    command->callback([sql, limits, &chosen] {
        chosen = [sql, limits](const CommonOptions& options, const JobContext&) {
            return query(*sql, *limits, options);
        };
    });
}

}  // namespace spd::cli
