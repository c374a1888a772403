#include "core/store/run_lines.h"

#include <fmt/format.h>

#include <limits>

#include "core/data/json_lines.h"

namespace spd::store {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string textOf(const Json& value) {
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A field of lm-eval's lines as text: "filtered_resps" is a list of one.
std::string firstText(const Json& row, const char* field) {
    const auto found = row.find(field);
    if (found == row.end())
        return "";
    const Json* value = &*found;
    while (value->is_array() && !value->empty())
        value = &value->front();
    return textOf(*value);
}

std::string exampleId(const Json& row, int64_t line) {
    if (const auto doc = row.find("doc"); doc != row.end() && doc->is_object() && doc->contains("id"))
        return textOf(doc->at("id"));
    return row.contains("doc_id") ? textOf(row.at("doc_id")) : fmt::format("{}", line);
}

}  // namespace

std::vector<Metric> readTrainingLog(const fs::path& path) {
    std::vector<Metric> metrics;
    readJsonLines(path, [&](int64_t, const Json& row) {
        const int64_t step = requireInteger(row, "step");
        for (const auto& [key, value] : row.items()) {
            if (key == "step")
                continue;
            const std::string name = fmt::format("train/{}", key);
            if (value.is_number())
                metrics.push_back({name, step, value.get<double>()});
            else if (value.is_null())  // what JSON has no number for
                metrics.push_back({name, step, std::numeric_limits<double>::quiet_NaN()});
        }
    });
    return metrics;
}

std::vector<EvalExample> readSamples(const fs::path& path, const std::string& task) {
    std::vector<EvalExample> examples;
    readJsonLines(path, [&](int64_t line, const Json& row) {
        EvalExample example;
        example.task = task;
        example.id = exampleId(row, line);
        example.gold = firstText(row, "target");
        example.answer = firstText(row, row.contains("filtered_resps") ? "filtered_resps" : "resps");
        for (const char* metric : {"exact_match", "acc", "pass@1"})
            if (const auto found = row.find(metric);
                found != row.end() && found->is_number() && !example.score)
                example.score = found->get<double>();
        examples.push_back(std::move(example));
    });
    return examples;
}

}  // namespace spd::store
