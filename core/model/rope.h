#pragma once

#include <vector>

#include "core/io/model_config.h"

namespace spd {

/// Inverse frequencies of the rotary position embedding: pair i of a head at position p turns by the angle
/// float32(p) * frequencies[i], computed in float32. Rotate-half layout: pair i is elements i and i + D/2.
/// The bits are those of transformers (modeling_rope_utils.py): the same LibTorch operations in the same
/// order, llama3 scaling included.
/// @return [head_dim / 2], float32.
std::vector<float> ropeInverseFrequencies(const ModelConfig& config);

}  // namespace spd
