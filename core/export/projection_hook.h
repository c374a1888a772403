#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/on_warning.h"
#include "core/pipeline/open_intervention.h"

namespace spd {

struct HookExportRequest {
    InterventionRequest intervention;  ///< its subspace and projection; no adapter
    std::filesystem::path out;         ///< FILE.py
    bool overwrite = false;
    OnWarning on_warning;
};

struct HookExportSummary {
    std::filesystem::path matrices;  ///< the file beside `out`
    int64_t targets = 0;
};

/// Writes a Python file that applies the projection to a model of transformers (with or without an adapter of
/// peft), and beside it STEM-XXXXXXXXXXXX.safetensors with its maps M [d, d] in float32, "11.k" and so on;
/// the name depends on their values. The maps are there before the Python file names them, so that whatever
/// is under the name is whole; those of an earlier export are removed last. Both are read again and compared.
/// @throws Error as readSubspace(), selectProjection(); invalid_argument (`out` does not end in .py, is there
/// without `overwrite`, or is no file of ours); io
HookExportSummary exportHook(const HookExportRequest& request);

}  // namespace spd
