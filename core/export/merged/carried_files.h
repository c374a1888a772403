#pragma once

#include <filesystem>
#include <optional>

#include "core/base/dtype.h"
#include "core/io/checkpoint.h"

namespace spd {

/// Copies what a checkpoint has besides weights: config.json, generation_config.json, tokenizer, templates,
/// licences. config.json is another only where the weights have another type.
/// @throws Error io, file_format
void carryFiles(const Checkpoint& base, std::optional<DType> dtype, const std::filesystem::path& folder);

}  // namespace spd
