#include "core/base/contained_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/error.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

constexpr int open_flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
constexpr int kAttempts = 1000;

bool isPlainName(const std::string& name) {
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
}

std::string systemMessage(int code) {
    return std::generic_category().message(code);
}

/// For kernels and sandboxes without openat2(): the fully resolved path must lie below the boundary, and its
/// last part must still be no link when it is opened.
int openResolved(const fs::path& boundary, const fs::path& path) {
    std::error_code error;
    const fs::path resolved = fs::canonical(path, error);
    if (error) {
        errno = error.value();
        return -1;
    }
    const fs::path relative = resolved.lexically_relative(boundary);
    if (relative.empty() || *relative.begin() == "..") {
        errno = EXDEV;
        return -1;
    }
    return ::open(resolved.c_str(), open_flags | O_NOFOLLOW);
}

int openBeneath(const FileHandle& boundary, const fs::path& boundary_path, const fs::path& relative) {
    open_how how = {};
    how.flags = open_flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    // EAGAIN: a rename somewhere on the machine may have moved what a ".." of the link leads to; ask again.
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const long descriptor =
            ::syscall(SYS_openat2, boundary.descriptor(), relative.c_str(), &how, sizeof how);
        if (descriptor >= 0)
            return static_cast<int>(descriptor);
        if (errno == ENOSYS || errno == EPERM)
            break;
        if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    return openResolved(boundary_path, boundary_path / relative);
}

}  // namespace

ContainedFolder ContainedFolder::open(const fs::path& path) {
    ContainedFolder folder;
    folder.path_ = path;
    std::error_code error;
    const fs::path canonical = fs::canonical(path, error);
    if (error || !fs::is_directory(canonical, error))
        throw Error(ErrorKind::not_found, fmt::format("{}: {}", printable(path.native(), 1000),
                                                      error ? systemMessage(error.value()) : "not a folder"));
    folder.boundary_path_ = canonical;
    const fs::path repository = canonical.parent_path().parent_path();
    if (canonical.parent_path().filename() == "snapshots" &&
        repository.filename().native().starts_with("models--")) {
        folder.boundary_path_ = repository;
        folder.inside_ = fs::path("snapshots") / canonical.filename();
    }
    folder.boundary_ = FileHandle(::open(folder.boundary_path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    folder.folder_ = FileHandle(::open(canonical.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.boundary_ || !folder.folder_)
        throw Error(ErrorKind::io,
                    fmt::format("{}: {}", printable(path.native(), 1000), systemMessage(errno)));
    return folder;
}

bool ContainedFolder::has(const std::string& name) const {
    struct stat status = {};
    return isPlainName(name) &&
           ::fstatat(folder_.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

FileHandle ContainedFolder::openFile(const std::string& name) const {
    if (!isPlainName(name))
        throw Error::fileFormat(path_.native(), printable(name), "not a plain file name");
    FileHandle file(openBeneath(boundary_, boundary_path_, inside_ / name));
    if (!file) {
        const int code = errno;
        if (code == EXDEV || code == ELOOP)
            throw Error::fileFormat(nameOf(name), "", "a link that leads outside the model's folder");
        // ENXIO of a socket; EACCES of a device where the file system has none.
        struct stat status = {};
        if (::fstatat(folder_.descriptor(), name.c_str(), &status, 0) == 0 && !S_ISREG(status.st_mode))
            throw Error::fileFormat(nameOf(name), "", "not a regular file");
        throw Error(code == ENOENT ? ErrorKind::not_found : ErrorKind::io,
                    fmt::format("{}: {}", printable(nameOf(name), 1000), systemMessage(code)));
    }
    struct stat status = {};
    if (::fstat(file.descriptor(), &status) != 0)
        throw Error(ErrorKind::io,
                    fmt::format("{}: {}", printable(nameOf(name), 1000), systemMessage(errno)));
    if (!S_ISREG(status.st_mode))
        throw Error::fileFormat(nameOf(name), "", "not a regular file");
    return file;
}

std::string ContainedFolder::readFile(const std::string& name, size_t max_bytes) const {
    return spd::readFile(openFile(name), nameOf(name), max_bytes);
}

}  // namespace spd
