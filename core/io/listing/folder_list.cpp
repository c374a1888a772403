#include "core/io/listing/folder_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/base/error.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

constexpr size_t kMostEntries = 10'000;

bool isText(const std::string& name) {
    return unicode::validPrefix(name) == name.size();
}

struct Entry {
    std::string name;
    std::string kind;
    int64_t bytes = 0;
    int64_t modified = 0;
    bool checkpoint = false;

    ordered_json toJson() const {
        const bool usable = isText(name);
        return {{"name", usable ? name : printable(name, 1000)},
                {"kind", kind},
                {"bytes", bytes},
                {"modified", modified},
                {"checkpoint", checkpoint},
                {"usable", usable}};
    }
};

int64_t millisecondsOf(fs::file_time_type time) {
    const auto system = std::chrono::file_clock::to_sys(time);
    return std::chrono::duration_cast<std::chrono::milliseconds>(system.time_since_epoch()).count();
}

Entry look(const fs::directory_entry& found) {
    Entry entry;
    std::error_code gone;
    entry.name = found.path().filename();
    const bool folder = found.is_directory(gone);
    const bool file = found.is_regular_file(gone);
    entry.kind = folder ? "folder" : file ? "file" : "other";
    if (file)
        if (const uintmax_t size = found.file_size(gone); !gone)
            entry.bytes = static_cast<int64_t>(size);
    if (const fs::file_time_type time = found.last_write_time(gone); !gone)
        entry.modified = millisecondsOf(time);
    entry.checkpoint = folder && fs::is_regular_file(found.path() / "config.json", gone);
    return entry;
}

}  // namespace

ordered_json listFolder(const fs::path& path, bool hidden) {
    std::error_code error;
    const fs::path folder = fs::canonical(path, error);
    if (error || !fs::is_directory(folder, error))
        throw Error(ErrorKind::not_found, fmt::format("{}: no such folder", printable(path.native(), 1000)));
    std::vector<Entry> entries;
    bool cut = false;
    fs::directory_iterator at(folder, error);
    for (; !error && !cut && at != fs::directory_iterator(); at.increment(error)) {
        if (!hidden && at->path().filename().native().starts_with('.'))
            continue;
        cut = entries.size() == kMostEntries;
        if (!cut)
            entries.push_back(look(*at));
    }
    if (error)
        throw Error(ErrorKind::io,
                    fmt::format("{}: cannot be read: {}", printable(folder.native(), 1000), error.message()));
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::pair(a.kind != "folder", a.name) < std::pair(b.kind != "folder", b.name);
    });
    ordered_json list = ordered_json::array();
    for (const Entry& entry : entries)
        list.push_back(entry.toJson());
    ordered_json parent;
    if (folder.has_relative_path() && isText(folder))
        parent = folder.parent_path().native();
    return {{"path", printable(folder.native(), 4096)}, {"parent", parent}, {"entries", list}, {"cut", cut}};
}

}  // namespace spd
