#pragma once

#include <filesystem>

#include "core/base/on_warning.h"
#include "core/intervene/intervention.h"
#include "core/io/checkpoint.h"
#include "core/subspace/projection.h"

namespace spd {

/// An intervention as the options name it (design: intervention options); none by default.
struct InterventionRequest {
    std::filesystem::path subspace;  ///< folder of a calibration; empty: no projection
    ProjectionSettings projection;   ///< with `subspace`
    std::filesystem::path adapter;   ///< PEFT folder; empty: no adapter
};

/// Reads the subspace and picks the projection, reads the adapter, and holds both against the model.
/// @throws Error not_found; file_format, unsupported_model (a file's content); invalid_argument (settings;
/// what has another shape than the model); io; out_of_memory
Intervention openIntervention(const InterventionRequest& request, const Checkpoint& checkpoint,
                              const OnWarning& on_warning);

/// Whether the subspace was measured on a model like this one: another shape is refused, another config.json
/// is warned about. @param folder  of the subspace, for messages.
/// @throws Error invalid_argument, io
void checkMeasuredOn(const Subspace& subspace, const std::filesystem::path& folder,
                     const Checkpoint& checkpoint, const OnWarning& on_warning);

}  // namespace spd
