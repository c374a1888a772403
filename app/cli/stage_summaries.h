#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "core/export/merged_checkpoint.h"
#include "core/export/peft_adapter.h"
#include "core/export/projection_hook.h"
#include "core/pipeline/calibrate.h"
#include "core/pipeline/generate_corpus.h"
#include "core/pipeline/train.h"

namespace spd::cli {

// What a stage found and took: the --json of its command and the result of its job.
nlohmann::ordered_json summaryJson(const CalibrateSummary& summary, const std::filesystem::path& out);
nlohmann::ordered_json summaryJson(const CorpusSummary& summary, const std::filesystem::path& out);
nlohmann::ordered_json summaryJson(const TrainSummary& summary);
nlohmann::ordered_json summaryJson(const PeftExportSummary& summary, const std::filesystem::path& out);
nlohmann::ordered_json summaryJson(const MergeSummary& summary, const std::filesystem::path& out);
nlohmann::ordered_json summaryJson(const HookExportSummary& summary, const std::filesystem::path& out);

}  // namespace spd::cli
