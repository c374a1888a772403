#pragma once

#include <filesystem>
#include <string>

namespace spd {

/// First file of the folder, by name, that only a pickle loader could read (.bin, .pt, .pth, .ckpt); empty
/// where there is none. Such files are named in refusals and never opened.
std::string pickleIn(const std::filesystem::path& folder);

}  // namespace spd
