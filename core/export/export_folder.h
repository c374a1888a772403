#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/atomic_folder.h"

namespace spd {

/// The folder that an export is written into. One of ours that is there is replaced only where `overwrite`
/// says so, one of somebody else's never.
/// @throws Error invalid_argument (it is there, or may not be replaced; `out` is `input` itself), not_found,
/// io
AtomicFolder openExportFolder(const std::filesystem::path& out, const std::filesystem::path& input,
                              bool overwrite);

/// The object in `folder`'s spd_provenance.json, null where there is no such file.
/// @throws Error file_format, io
nlohmann::ordered_json readProvenance(const std::filesystem::path& folder);

}  // namespace spd
