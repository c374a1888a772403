#include "core/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <random>
#include <system_error>
#include <utility>

#include "core/base/error.h"

namespace spd {
namespace {

void writeAll(int file, std::string_view content, const std::filesystem::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(file, content.data(), content.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            throwSystemError(path, "cannot write");
        content.remove_prefix(static_cast<size_t>(written));
    }
}

}  // namespace

std::string sixLetters() {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    std::random_device random;
    std::string text;
    while (text.size() < 6)
        text += letters[random() % letters.size()];
    return text;
}

void throwSystemError(const std::filesystem::path& path, std::string_view action) {
    const int code = errno;
    const ErrorKind kind = code == ENOENT || code == ENOTDIR ? ErrorKind::not_found : ErrorKind::io;
    throw Error(kind, fmt::format("{}: {}: {}", printable(path.native(), 1000), action,
                                  std::generic_category().message(code)))
        .withSystemCode(code);
}

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
    if (this != &other) {
        reset();
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

void FileHandle::reset() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
    descriptor_ = -1;
}

bool FileHandle::close() {
    return descriptor_ < 0 || ::close(std::exchange(descriptor_, -1)) == 0;
}

std::string readFile(const std::filesystem::path& path, size_t max_bytes) {
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file)
        throwSystemError(path, "cannot open");
    return readFile(file, path.native(), max_bytes);
}

std::string readFile(const FileHandle& file, const std::string& name, size_t max_bytes) {
    struct stat status = {};
    if (::fstat(file.descriptor(), &status) != 0)
        throwSystemError(name, "cannot stat");
    if (!S_ISREG(status.st_mode))
        throw Error::fileFormat(name, "", "not a regular file");
    const auto size = static_cast<size_t>(status.st_size);
    if (size > max_bytes)
        throw Error::fileFormat(name, "",
                                fmt::format("{} bytes, more than the limit of {}", size, max_bytes));
    std::string content(size, '\0');
    size_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pread(file.descriptor(), content.data() + done, size - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throwSystemError(name, "cannot read");
        if (got == 0)
            throw Error(ErrorKind::io, printable(name, 1000) + ": became shorter while it was read");
        done += static_cast<size_t>(got);
    }
    return content;
}

void writeFileAtomically(const std::filesystem::path& path, std::string_view content) {
    AtomicFile file(path);
    file.append(content);
    file.commit();
}

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path) {
    // rename() would put a file in the place of /dev/null, or fail on a folder after all the work.
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        throw Error(ErrorKind::invalid_argument,
                    printable(path.native(), 1000) + ": not a regular file, cannot be replaced by one");
    // Not mkostemp(): its 0600 could be widened only by asking for the umask, which all threads share.
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    for (int attempt = 0; !handle_ && attempt < 100; ++attempt) {
        temporary_ = (folder / ("." + path.filename().native() + ".tmp-" + sixLetters())).native();
        handle_ = FileHandle(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (!handle_ && errno != EEXIST)
            break;
    }
    if (!handle_) {
        temporary_.clear();
        throwSystemError(path, "cannot create a temporary file beside it");
    }
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty())
        ::unlink(temporary_.c_str());
}

void AtomicFile::append(std::string_view content) {
    writeAll(handle_.descriptor(), content, path_);
}

void AtomicFile::commit() {
    if (::fsync(handle_.descriptor()) != 0)
        throwSystemError(path_, "cannot write to the disk");
    if (!handle_.close())
        throwSystemError(path_, "cannot close");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        throwSystemError(path_, "cannot rename the finished file");
    temporary_.clear();
    syncFolder(path_.has_parent_path() ? path_.parent_path() : ".");
}

void syncFolder(const std::filesystem::path& folder) {
    const FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle || ::fsync(handle.descriptor()) != 0)
        throwSystemError(folder, "cannot write the folder to the disk");
}

}  // namespace spd
