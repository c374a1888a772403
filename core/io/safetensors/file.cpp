#include "core/io/safetensors/file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/base/error.h"

namespace spd {

SafetensorsFile SafetensorsFile::open(const ContainedFolder& folder, const std::string& name) {
    SafetensorsFile file;
    file.plain_name_ = name;
    file.name_ = folder.nameOf(name);
    file.file_ = folder.openFile(name);
    file.identity_ = identityOf(file.file_, file.name_);
    const auto size = static_cast<uint64_t>(file.identity_.size);
    std::string start(std::min<uint64_t>(size, 64), '\0');
    file.readAt(0, start.size(), start.data());
    const uint64_t length = headerLength(start, size, file.name_);
    std::string text(length, '\0');
    file.readAt(8, length, text.data());
    file.header_ = parseSafetensorsHeader(text, size - 8 - length, file.name_);
    return file;
}

SafetensorsFile::Identity SafetensorsFile::identityOf(const FileHandle& file, const std::string& name) {
    struct stat status = {};
    if (::fstat(file.descriptor(), &status) != 0)
        throw Error(ErrorKind::io,
                    fmt::format("{}: {}", printable(name, 1000), std::generic_category().message(errno)));
    return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void SafetensorsFile::read(const TensorEntry& tensor, uint64_t first, uint64_t count, void* out) const {
    if (first > tensor.bytes() || count > tensor.bytes() - first)
        throw Error(ErrorKind::internal, fmt::format("{}: read past the end of {}", name_, tensor.name));
    readAt(header_.data_begin + tensor.begin + first, count, out);
}

void SafetensorsFile::readAt(uint64_t offset, uint64_t count, void* out) const {
    auto* to = static_cast<char*>(out);
    constexpr uint64_t most_per_call = uint64_t{1} << 30;
    while (count > 0) {
        const ssize_t got =
            ::pread(file_.descriptor(), to, std::min(count, most_per_call), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw Error(ErrorKind::io, fmt::format("{}: byte {}: {}", printable(name_, 1000), offset,
                                                   std::generic_category().message(errno)));
        if (got == 0)
            throw Error(ErrorKind::io,
                        fmt::format("{}: byte {}: the file has become shorter since it was opened",
                                    printable(name_, 1000), offset));
        to += got;
        offset += static_cast<uint64_t>(got);
        count -= static_cast<uint64_t>(got);
    }
}

void SafetensorsFile::checkUnchanged(const ContainedFolder& folder) const {
    const FileHandle now = folder.openFile(plain_name_);
    if (identityOf(file_, name_) != identity_ || identityOf(now, name_) != identity_)
        throw Error(ErrorKind::io, fmt::format("{}: changed while it was read", printable(name_, 1000)));
}

}  // namespace spd
