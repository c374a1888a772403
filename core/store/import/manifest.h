#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/store/run_records.h"

namespace spd::store {

/// A file that says how something came about.
struct Manifest {
    enum class Kind { meta, subspace, provenance, results };
    Kind kind = Kind::meta;
    std::filesystem::path path;
    nlohmann::ordered_json json;  ///< an object
    std::string stage;            ///< "calibrate", "generate", "train", "evaluate", "export"
};

/// True for the names of manifests.
bool isManifest(const std::filesystem::path& path);
/// @throws Error file_format, io
Manifest readManifest(const std::filesystem::path& path);

/// Its plain values as "STAGE.a.b": texts, numbers, true and false, short lists. Lists of examples, layers
/// and tokens are left to the file.
std::vector<KeyValue> paramsOf(const Manifest& manifest);

/// Edges from what the manifest names as "KIND_sha256" (subspace, corpus, adapter) to one of `kind`.
std::vector<LineageEdge> lineageOf(const Manifest& manifest, const std::string& kind,
                                   const std::string& sha256);

/// Numbers under "results", "TASK/METRIC", at step 0.
std::vector<Metric> resultsOf(const Manifest& manifest);

}  // namespace spd::store
