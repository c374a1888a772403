#include "core/io/weights/pickle.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

namespace spd {
namespace fs = std::filesystem;

std::string pickleIn(const fs::path& folder) {
    constexpr std::array<std::string_view, 4> suffixes = {".bin", ".pt", ".pth", ".ckpt"};
    std::string first;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename();
        const bool pickle =
            std::any_of(suffixes.begin(), suffixes.end(), [&](auto s) { return name.ends_with(s); });
        if (pickle && (first.empty() || name < first))
            first = name;
    }
    return first;
}

}  // namespace spd
