#pragma once

#include <filesystem>
#include <string>

#include "core/store/run_store.h"

namespace spd::test {

/// A run of experiment "e", in its folder under the workspace, as `spd run` begins it.
inline std::string beginRun(RunStore& store, const std::string& method, int64_t seed = 42,
                            const std::string& point = "") {
    const ExperimentRecord experiment = store.beginExperiment("e", "name = \"e\"\n");
    const std::string name = method + "-s" + std::to_string(seed) + (point.empty() ? "" : "-" + point);
    const std::filesystem::path folder = store.workspace() / "experiments" / experiment.id / "runs" / name;
    std::filesystem::create_directories(folder);
    return store.beginRun(
        {.experiment = experiment.id, .method = method, .seed = seed, .point = point, .folder = folder});
}

}  // namespace spd::test
