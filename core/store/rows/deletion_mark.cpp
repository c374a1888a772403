#include "core/store/rows/deletion_mark.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"

namespace spd::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "spd_deleted.json";

}  // namespace

void writeDeletionMark(const fs::path& folder, const std::string& run) {
    const nlohmann::ordered_json mark = {{"run", run}, {"from", folder.native()}};
    const auto replace = nlohmann::ordered_json::error_handler_t::replace;
    writeFileAtomically(folder / kMark, mark.dump(2, ' ', false, replace) + "\n");
}

bool isMovedBack(const fs::path& folder, const std::string& run) {
    try {
        return readFile(folder / kMark, 64 << 10).find(fmt::format("\"run\": \"{}\"", run)) !=
               std::string::npos;
    } catch (const Error&) {
        return false;  // not there, or not ours
    }
}

void removeDeletionMark(const fs::path& folder) noexcept {
    ::unlink((folder / kMark).c_str());
}

}  // namespace spd::store
