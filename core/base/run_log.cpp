#include "core/base/run_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "core/base/files.h"

namespace spd {

void appendToRunLog(const std::filesystem::path& path, const std::string& text) {
    const FileHandle file(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!file)
        throwSystemError(path, "open");
    const std::string line = fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(std::time(nullptr)), text);
    if (write(file.descriptor(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        throwSystemError(path, "write");
}

}  // namespace spd
