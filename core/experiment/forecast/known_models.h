#pragma once

#include <optional>
#include <string>

#include "core/io/model_config.h"

namespace spd {

/// Shapes of the paper's backbones, as their config.json on the hub says, so that an experiment on one of
/// them can be forecast before it is downloaded. Only sizes are filled in: no RoPE, no token ids.
/// @param id  "Qwen/Qwen2.5-7B-Instruct"; letter case as on the hub.
std::optional<ModelConfig> knownShape(const std::string& id);

}  // namespace spd
