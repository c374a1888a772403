#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/dtype.h"
#include "core/io/model_config.h"

namespace spd::test {

/// A small sound config of a family: 3 layers, 4 query heads over 2 KV heads, odd sizes where the family
/// allows them.
ModelConfig tinyConfig(ModelFamily family);

/// Writes config.json and model.safetensors (float32, random from `seed`, large enough that logits spread) of
/// `config` into `folder`, which is made. The file is written by hand here, not by the writer under test.
/// @param rounded_to  the float32 values are the nearest that this type has.
void writeTinyCheckpoint(const std::filesystem::path& folder, const ModelConfig& config, uint32_t seed,
                         DType rounded_to = DType::float32);

}  // namespace spd::test
