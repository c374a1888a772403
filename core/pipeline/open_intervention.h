#pragma once

#include <filesystem>

#include "core/base/on_warning.h"
#include "core/intervene/intervention.h"
#include "core/io/checkpoint.h"

namespace spd {

/// An intervention as the options name it (design: intervention options); none by default.
struct InterventionRequest {
    std::filesystem::path adapter;  ///< PEFT folder; empty: no adapter
};

/// Reads the adapter and holds it against the model.
/// @throws Error not_found; file_format, unsupported_model (a file's content); invalid_argument (what does
/// not fit the model); io; out_of_memory
Intervention openIntervention(const InterventionRequest& request, const Checkpoint& checkpoint,
                              const OnWarning& on_warning);

}  // namespace spd
