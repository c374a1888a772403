#pragma once

#include <filesystem>

#include "core/base/job_context.h"
#include "core/store/run_store.h"

namespace spd {

/// Reads what single commands (calibrate, generate, train, eval, export) have left in a folder, three folders
/// deep, symbolic links not followed, a training's checkpoints left out:
///   NAME.meta.json            what made NAME.jsonl, a calibration or a training
///   subspace.json             with subspace.safetensors
///   spd_provenance.json       with the adapter or model beside it
///   training_log.jsonl        a metric for each number of a line, by its "step"
///   results.json              a metric for each number under "results"; samples_TASK.jsonl beside it
/// Settings become params "STAGE.KEY", files artifacts with their hashes, hashes that a manifest names
/// lineage. The method is the manifests' "method", else the last stage; the seed theirs, where they agree. A
/// folder with an unfinished calibration, corpus or training is a killed run. Nothing is written or moved.
/// @throws Error not_found; file_format (a manifest that cannot be read; no manifest at all, too many files);
/// io; Cancelled
RunStore::ImportedRun readRunFolder(const std::filesystem::path& folder, const JobContext& context);

}  // namespace spd
