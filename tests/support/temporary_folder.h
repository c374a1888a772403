#pragma once

#include <unistd.h>

#include <QDir>
#include <QTemporaryDir>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace spd::test {

/// A folder that goes when the test ends.
class TemporaryFolder {
public:
    enum class On { disk, memory };
    /// @param on  memory, where there is a file system for it: for thousands of syncs whose durability is not
    ///     what is tested.
    explicit TemporaryFolder(On on = On::disk)
        : folder_(on == On::memory && ::access("/dev/shm", W_OK) == 0
                      ? QString("/dev/shm/spd-test-XXXXXX")
                      : QDir::tempPath() + "/spd-test-XXXXXX") {}

    std::filesystem::path path() const { return std::filesystem::path(folder_.path().toStdString()); }
    std::filesystem::path operator/(const std::string& name) const { return path() / name; }

    std::filesystem::path put(const std::string& name, const std::string& content) const {
        std::ofstream file(path() / name, std::ios::binary);
        file.write(content.data(), static_cast<std::streamsize>(content.size()));
        return path() / name;
    }

private:
    QTemporaryDir folder_;
};

inline std::string contentOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace spd::test
