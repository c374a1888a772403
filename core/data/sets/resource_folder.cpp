#include "core/data/sets/resource_folder.h"

#include <cstdlib>
#include <vector>

#include "core/base/error.h"

namespace spd {
namespace {

namespace fs = std::filesystem;

bool holdsResources(const fs::path& folder) {
    std::error_code unreadable;
    return fs::is_regular_file(folder / "prompts.toml", unreadable);
}

}  // namespace

fs::path resourceFolder() {
    const char* named = std::getenv("SPD_RESOURCES");
    std::vector<fs::path> places;
    if (named != nullptr && *named != '\0') {
        places.emplace_back(named);
    } else {
        std::error_code unreadable;
        const fs::path program = fs::read_symlink("/proc/self/exe", unreadable);
        if (!unreadable)
            places.push_back((program.parent_path() / "../share/spd-workbench").lexically_normal());
        places.emplace_back(SPD_SOURCE_RESOURCES);
    }
    std::string looked;
    for (const fs::path& place : places) {
        if (holdsResources(place))
            return place;
        looked += (looked.empty() ? "" : ", ") + printable(place.native(), 500);
    }
    throw Error(ErrorKind::not_found,
                "the program's data sets and templates are not there (no prompts.toml in " + looked +
                    "); the environment variable SPD_RESOURCES names their folder");
}

}  // namespace spd
