#include "core/store/import/manifest.h"

#include <fmt/format.h>

#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strict_json.h"

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

}  // namespace spd::store
