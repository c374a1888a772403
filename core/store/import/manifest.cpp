#include "core/store/import/manifest.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/data/json_lines.h"

namespace spd::store {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kMostManifestBytes = size_t{64} << 20;
constexpr size_t kLongestValue = 1000;

std::string textOf(const Json& value) {
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What is long and is read from the file itself when it is needed.
bool isLeftToTheFile(const std::string& key) {
    static const std::set<std::string> keys = {"examples",  "targets",  "results",
                                               "n-samples", "versions", "corpus_made_by"};
    return keys.contains(key);
}

void flatten(const Json& json, const std::string& prefix, std::vector<KeyValue>& params, int depth) {
    constexpr int deepest = 8;
    for (const auto& [key, value] : json.items()) {
        const std::string name = prefix + key;
        if (value.is_structured() && isLeftToTheFile(key))
            continue;
        if (value.is_object() && depth < deepest)
            flatten(value, name + ".", params, depth + 1);
        else if (!value.is_object() && textOf(value).size() <= kLongestValue)
            params.push_back({name, textOf(value)});
    }
}

std::optional<double> numberOf(const Json& value) {
    if (value.is_number())
        return value.get<double>();
    return std::nullopt;
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

std::string stageOf(const fs::path& path, Manifest::Kind kind, const Json& json) {
    if (const auto stage = json.find("stage"); stage != json.end() && stage->is_string())
        return stage->get<std::string>();
    switch (kind) {
        case Manifest::Kind::subspace:
            return "calibrate";
        case Manifest::Kind::results:
            return "evaluate";
        case Manifest::Kind::provenance:
            return fs::exists(path.parent_path() / "adapter_config.json") ? "train" : "export";
        case Manifest::Kind::meta:
            break;
    }
    return path.filename().native().starts_with("train") ? "train" : "generate";
}

}  // namespace

bool isManifest(const fs::path& path) {
    const std::string name = path.filename().native();
    return name == "subspace.json" || name == "spd_provenance.json" || name == "results.json" ||
           (name.ends_with(".meta.json") && !name.starts_with("."));
}

Manifest readManifest(const fs::path& path) {
    const std::string name = path.filename().native();
    Manifest manifest;
    manifest.path = path;
    manifest.kind = name == "subspace.json"         ? Manifest::Kind::subspace
                    : name == "spd_provenance.json" ? Manifest::Kind::provenance
                    : name == "results.json"        ? Manifest::Kind::results
                                                    : Manifest::Kind::meta;
    const JsonLimits limits{.max_bytes = kMostManifestBytes};
    manifest.json = parseStrictJson(readFile(path, limits.max_bytes), path.native(), limits);
    if (!manifest.json.is_object())
        throw Error::fileFormat(path.native(), "", "must be an object");
    manifest.stage = stageOf(path, manifest.kind, manifest.json);
    return manifest;
}

std::vector<KeyValue> paramsOf(const Manifest& manifest) {
    std::vector<KeyValue> params;
    flatten(manifest.json, manifest.stage + ".", params, 0);
    return params;
}

std::vector<LineageEdge> lineageOf(const Manifest& manifest, const std::string& kind,
                                   const std::string& sha256) {
    std::vector<LineageEdge> edges;
    for (const KeyValue& param : paramsOf(manifest))
        for (const std::string from : {"subspace", "corpus", "adapter"})
            if (from != kind && param.value.size() == 64 && param.key.ends_with(from + "_sha256"))
                edges.push_back({from, param.value, kind, sha256});
    return edges;
}

std::vector<Metric> resultsOf(const Manifest& manifest) {
    std::vector<Metric> metrics;
    const auto results = manifest.json.find("results");
    if (results == manifest.json.end() || !results->is_object())
        return metrics;
    for (const auto& [task, scores] : results->items()) {
        if (!scores.is_object())
            continue;
        for (const auto& [key, value] : scores.items())
            if (const std::optional<double> number = numberOf(value))
                metrics.push_back({task + "/" + key.substr(0, key.find(',')), 0, *number});
    }
    return metrics;
}

std::vector<Metric> readTrainingLog(const fs::path& path) {
    std::vector<Metric> metrics;
    readJsonLines(path, [&](int64_t, const Json& row) {
        const int64_t step = requireInteger(row, "step");
        for (const auto& [key, value] : row.items()) {
            if (key == "step")
                continue;
            if (const std::optional<double> number = numberOf(value))
                metrics.push_back({key, step, *number});
            else if (value.is_null())  // what JSON has no number for
                metrics.push_back({key, step, std::numeric_limits<double>::quiet_NaN()});
        }
    });
    return metrics;
}

std::vector<EvalExample> readSamples(const fs::path& path) {
    const std::string name = path.stem().native();
    const std::string task = name.substr(std::string("samples_").size());
    std::vector<EvalExample> examples;
    readJsonLines(path, [&](int64_t line, const Json& row) {
        EvalExample example;
        example.task = task;
        example.id = exampleId(row, line);
        example.gold = firstText(row, "target");
        example.answer = firstText(row, row.contains("filtered_resps") ? "filtered_resps" : "resps");
        for (const char* metric : {"exact_match", "acc", "pass@1"})
            if (const auto found = row.find(metric); found != row.end() && !example.score)
                example.score = numberOf(*found);
        examples.push_back(std::move(example));
    });
    return examples;
}

}  // namespace spd::store
