#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/base/job_context.h"
#include "core/base/on_warning.h"
#include "core/export/logit_check.h"
#include "core/pipeline/open_intervention.h"

namespace spd {

struct HookExportRequest {
    InterventionRequest intervention;  ///< its subspace and projection; no adapter
    /// What Projection::record must be, where a run recorded it; null: anything.
    nlohmann::ordered_json recorded;
    std::string base;  ///< MODEL to compare logits with; empty: the one that was measured, where it is found
    std::filesystem::path workspace;
    std::filesystem::path out;  ///< FILE.py
    bool overwrite = false;
    OnWarning on_warning;
};

struct HookExportSummary {
    std::filesystem::path matrices;  ///< the file beside `out`
    int64_t targets = 0;
    std::optional<LogitCheck> logits;  ///< our engine with the projection and with what the files say
    std::string not_compared;          ///< why there are no `logits`
};

/// Writes a Python file that applies the projection to a model of transformers (with or without an adapter of
/// peft), and beside it STEM-XXXXXXXXXXXX.safetensors with its maps M [d, d] in float32, "11.k" and so on;
/// the name depends on their values. The maps are there before the Python file names them, so that whatever
/// is under the name is whole; those of an earlier export are removed last.
///
/// Both are read again and compared: values always, logits where there is a model to compute them with, each
/// map as a product of its own. The Python code itself is not run.
/// @throws Error as readSubspace(), selectProjection(), locateModel(), openCheckModel(); file_format (the
/// projection is not the one that was recorded); invalid_argument (`out` does not end in .py, is there
/// without `overwrite`, or is no file of ours; a model of another shape); io; internal (what was read again
/// differs); Cancelled
HookExportSummary exportHook(const HookExportRequest& request, const JobContext& context);

}  // namespace spd
