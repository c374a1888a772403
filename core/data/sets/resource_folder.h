#pragma once

#include <filesystem>

namespace spd {

/// Where the files lie that the program comes with (data sets, templates): the folder that the environment
/// names as SPD_RESOURCES, else ../share/spd-workbench beside the running program's folder (installed), else
/// resources/ of the source tree that the program was built from.
/// @throws Error not_found that names the folders that were looked at
std::filesystem::path resourceFolder();

}  // namespace spd
