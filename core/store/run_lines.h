#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/store/run_records.h"

namespace spd::store {

// What the database keeps of the JSON Lines files of a run, whoever wrote them.

/// training_log.jsonl: every number of each line by its step, as "train/KEY"; what JSON has no number for is
/// NaN. @throws Error file_format, io
std::vector<Metric> readTrainingLog(const std::filesystem::path& path);

/// samples_TASK.jsonl (lm-eval's fields), as examples of `task`. @throws Error file_format, io
std::vector<EvalExample> readSamples(const std::filesystem::path& path, const std::string& task);

}  // namespace spd::store
