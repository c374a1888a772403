#include "core/base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"

namespace spd {
namespace {

/// False when the holder before us has removed the file between our open() and flock().
bool isStillNamed(const FileHandle& handle, const std::filesystem::path& path) {
    struct stat open = {};
    struct stat named = {};
    return ::fstat(handle.descriptor(), &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
           open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

}  // namespace

std::optional<FileLock> FileLock::tryLock(const std::filesystem::path& path) {
    for (;;) {
        FileHandle handle(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
        if (!handle)
            throwSystemError(path, "cannot create");
        while (::flock(handle.descriptor(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK)
                return std::nullopt;
            if (errno != EINTR)
                throwSystemError(path, "cannot lock");
        }
        if (isStillNamed(handle, path))
            return FileLock(path, std::move(handle));
    }
}

bool FileLock::isHeld(const std::filesystem::path& path) {
    const FileHandle handle(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!handle) {
        if (errno == ENOENT || errno == ENOTDIR)
            return false;
        throwSystemError(path, "cannot open");
    }
    while (::flock(handle.descriptor(), LOCK_SH | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return true;
        if (errno != EINTR)
            throwSystemError(path, "cannot lock");
    }
    return false;
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    if (this != &other) {
        release();
        path_ = std::move(other.path_);
        handle_ = std::move(other.handle_);
    }
    return *this;
}

void FileLock::release() {
    // While it is still held, so that nobody else can hold a file of this name by then.
    if (handle_)
        ::unlink(path_.c_str());
    handle_.reset();
}

}  // namespace spd
