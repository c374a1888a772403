#include "core/base/atomic_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/error.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view temporary_part = ".tmp-";

FileHandle openFolder(const fs::path& path) {
    return FileHandle(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Names in the folder. @throws Error not_found, io
std::vector<fs::path> entriesOf(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> paths;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
        paths.push_back(entry->path());
    if (error) {
        errno = error.value();
        throwSystemError(folder, "cannot list");
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

/// Removes a folder of files as far as it can.
void removeFolder(const fs::path& folder) {
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
        ::unlink(entry->path().c_str());
    ::rmdir(folder.c_str());
}

/// An existing folder only where it is one of ours, by its marker. What else somebody has put into it goes
/// with it.
void checkReplaceable(const fs::path& folder, const std::string& marker) {
    struct stat status = {};
    if (::lstat(folder.c_str(), &status) != 0)
        return;
    const auto refuse = [&](const std::string& rule) {
        throw Error(ErrorKind::invalid_argument, printable(folder.native(), 1000) + ": " + rule);
    };
    if (!S_ISDIR(status.st_mode))
        refuse("not a folder, cannot be replaced by one");
    const std::vector<fs::path> entries = entriesOf(folder);
    bool marked = entries.empty();
    for (const fs::path& entry : entries) {
        if (::lstat(entry.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
            refuse(fmt::format("holds a folder ({}); remove it yourself to have it replaced",
                               printable(entry.filename().native(), 100)));
        marked = marked || (!marker.empty() && entry.filename() == marker);
    }
    if (!marked)
        refuse(marker.empty() ? "there are files in it"
                              : fmt::format("there are files in it, but no {}: remove it yourself to have "
                                            "it replaced",
                                            marker));
}

/// The path with links resolved and no slash at its end, so that "beside it" means where the folder itself
/// lies.
fs::path resolved(const fs::path& path) {
    std::error_code error;
    fs::path full = fs::weakly_canonical(fs::absolute(path, error), error);
    if (error) {
        errno = error.value();
        throwSystemError(path, "cannot resolve");
    }
    if (!full.has_filename())
        full = full.parent_path();
    if (full == full.root_path())
        throw Error(ErrorKind::invalid_argument, printable(path.native(), 1000) + ": cannot be replaced");
    return full;
}

void syncFile(const fs::path& path) {
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file || ::fsync(file.descriptor()) != 0)
        throwSystemError(path, "cannot write to the disk");
}

}  // namespace

AtomicFolder::AtomicFolder(const fs::path& path, const std::string& marker)
    : path_(resolved(path)), marker_(marker) {
    checkReplaceable(path_, marker_);
    makeTemporary();
}

AtomicFolder::~AtomicFolder() {
    if (!temporary_.empty())
        removeFolder(temporary_);
}

/// Removes what killed processes left, then makes a folder of our own. The lock goes with its process.
void AtomicFolder::makeTemporary() {
    const std::string prefix = "." + path_.filename().native() + std::string(temporary_part);
    for (const fs::path& entry : entriesOf(path_.parent_path())) {
        const std::string name = entry.filename();
        if (name.size() != prefix.size() + 6 || !name.starts_with(prefix))
            continue;
        if (const FileHandle left = openFolder(entry);
            left && ::flock(left.descriptor(), LOCK_EX | LOCK_NB) == 0)
            removeFolder(entry);
    }
    for (int attempt = 0; attempt < 100; ++attempt) {
        const fs::path candidate = path_.parent_path() / (prefix + sixLetters());
        if (::mkdir(candidate.c_str(), 0777) == 0) {
            if (lockTemporary(candidate))
                return;
        } else if (errno != EEXIST) {
            break;
        }
    }
    throwSystemError(path_, "cannot create a temporary folder beside it");
}

/// False where another process took the new folder for one that was left behind: between mkdir and flock
/// nothing tells them apart.
bool AtomicFolder::lockTemporary(const fs::path& candidate) {
    FileHandle handle = openFolder(candidate);
    if (!handle && errno == ENOENT)
        return false;
    if (handle && ::flock(handle.descriptor(), LOCK_EX | LOCK_NB) == 0) {
        struct stat held = {};
        struct stat named = {};
        if (::fstat(handle.descriptor(), &held) != 0 || ::lstat(candidate.c_str(), &named) != 0 ||
            held.st_ino != named.st_ino)
            return false;
        lock_ = std::move(handle);
        temporary_ = candidate;
        return true;
    }
    if (handle && errno == EWOULDBLOCK)
        return false;
    const int code = errno;
    removeFolder(candidate);
    errno = code;
    throwSystemError(path_, "cannot lock the temporary folder beside it");
}

void AtomicFolder::commit() {
    checkReplaceable(path_, marker_);  // it may have changed meanwhile
    for (const fs::path& file : entriesOf(temporary_))
        syncFile(file);
    syncFolder(temporary_);
    publish();
}

void AtomicFolder::publish() {
    // An empty folder is replaced by a plain rename, as is nothing.
    if (::rename(temporary_.c_str(), path_.c_str()) == 0) {
        temporary_.clear();
        syncFolder(path_.parent_path());
        return;
    }
    if (errno != ENOTEMPTY && errno != EEXIST)
        throwSystemError(path_, "cannot rename the finished folder");
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0)
        throwSystemError(path_,
                         "cannot exchange the folders (this file system may lack it; remove the old "
                         "one yourself)");
    const fs::path old = std::exchange(temporary_, fs::path());
    syncFolder(path_.parent_path());
    removeFolder(old);
}

}  // namespace spd
