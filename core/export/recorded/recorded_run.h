#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/store/run_store.h"
#include "core/subspace/projection.h"

namespace spd {

// What a finished run of the database left for an export. Every file that is named here lies where the run
// recorded it and has the hash that it recorded.
//
// All throw Error invalid_argument (not finished, deleted, has none of it, has several of it), not_found (a
// file is gone), file_format (a file was changed), io.

struct RecordedAdapter {
    std::filesystem::path folder;
    std::string base;  ///< MODEL that the run names; empty where it names none
};
RecordedAdapter recordedAdapter(const RunStore& store, const RunRecord& run);

/// With what the run made its corpus.
struct RecordedProjection {
    std::filesystem::path subspace;
    ProjectionSettings settings;
    nlohmann::ordered_json record;  ///< Projection::record; null in a run that made no corpus
    std::string base;
};
RecordedProjection recordedProjection(const RunStore& store, const RunRecord& run);

}  // namespace spd
