#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/job_context.h"
#include "core/base/on_warning.h"
#include "core/export/logit_check.h"
#include "core/io/adapter.h"
#include "core/io/model_locator.h"

namespace spd {

struct PeftExportRequest {
    std::filesystem::path adapter;  ///< folder with adapter_config.json
    std::string base;  ///< MODEL as locateModel() takes it; empty: the one that the adapter names
    std::filesystem::path workspace;
    std::filesystem::path out;  ///< folder
    bool overwrite = false;
    OnWarning on_warning;
};

struct PeftExportSummary {
    int64_t modules = 0;
    int64_t r = 0;
    std::string base_model_name_or_path;  ///< as adapter_config.json names it
    std::string revision;
    std::optional<LogitCheck> logits;  ///< base model with the adapter, and with the one that was read again
    std::string not_compared;          ///< why there are no `logits`
};

/// Writes an adapter anew as plain float32 LoRA for other machines: base model by repo id and commit where it
/// lies in the Hugging Face cache and by its plain name elsewhere, model card, provenance. Patterns, rsLoRA
/// and 16-bit storage come out as the ranks and scales that they stand for. What was written is read again
/// and compared before it appears under its name: values always; logits too, except where `base` is empty and
/// the model that the adapter names has no weights here or too little memory.
/// Warns where the base model has other weights than the adapter was trained on.
/// @throws Error as readAdapter(), locateModel(), openExportFolder(), openCheckModel(); internal (what was
/// read again differs); Cancelled
PeftExportSummary exportPeft(const PeftExportRequest& request, const JobContext& context);

}  // namespace spd
