#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace spd {

/// What a folder holds, for choosing a file or folder in it: {"path","parent" (null at the top),"entries":
/// [{"name","kind":"folder"|"file"|"other","bytes","modified" (ms since 1970),"checkpoint","usable"}],"cut"}.
/// Folders come first, then by name; links count as what they lead to, and as "other" where that is gone.
/// `checkpoint`: a folder with a config.json. A name that is no UTF-8 is shown with its bytes escaped and is
/// not usable. Hidden entries are left out; `cut` when there are more than 10,000.
/// @throws Error not_found (no such folder), io (no permission)
nlohmann::ordered_json listFolder(const std::filesystem::path& path, bool hidden);

}  // namespace spd
