#pragma once

#include <filesystem>
#include <string>

#include "core/io/adapter.h"
#include "core/io/model_locator.h"

namespace spd {

/// The model that an adapter folder belongs to: `base` (MODEL as locateModel() takes it) where it is given,
/// else what adapter_config.json names.
/// @throws Error invalid_argument where neither names one; file_format; as locateModel()
ModelLocation locateBase(const std::string& base, const std::filesystem::path& adapter,
                         const std::filesystem::path& workspace);

/// nameBaseModel(), except that a name that works everywhere is kept: a repo id that the adapter came with,
/// where the model was found in a plain folder.
void nameFoundBase(LoraAdapter& adapter, const ModelLocation& base);

}  // namespace spd
