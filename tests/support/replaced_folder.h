#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "core/base/atomic_folder.h"
#include "tests/support/temporary_folder.h"

namespace spd::test {

inline constexpr const char* kMarker = "marker.json";

/// Names and contents; a folder in it counts as "(folder)".
using Files = std::map<std::string, std::string>;

inline const Files kOld = {{kMarker, "old"}, {"a", "old a"}, {"only in the old one", "x"}};
inline const Files kNew = {{kMarker, "new"}, {"a", std::string(100'000, 'n')}, {"b", ""}};

inline Files filesIn(const std::filesystem::path& folder) {
    Files files;
    for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder))
        files[entry.path().filename()] = entry.is_directory() ? "(folder)" : contentOf(entry.path());
    return files;
}

inline void makeFolder(const std::filesystem::path& folder, const Files& files) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    for (const auto& [name, content] : files)
        std::ofstream(folder / name, std::ios::binary) << content;
}

inline void writeNew(const std::filesystem::path& folder) {
    for (const auto& [name, content] : kNew)
        writeFileAtomically(folder / name, content);
}

inline void replaceByNew(const std::filesystem::path& path) {
    AtomicFolder folder(path, kMarker);
    writeNew(folder.path());
    folder.commit();
}

inline size_t countIn(const std::filesystem::path& folder) {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace spd::test
