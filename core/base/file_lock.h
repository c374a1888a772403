#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/files.h"

namespace spd {

/// Holds a lock file (flock) for as long as it lives and then removes it. The kernel frees it when the
/// process dies in whatever way; a file that is left then does no harm.
class FileLock {
public:
    /// Creates the file where there is none. Nothing when another process, or another FileLock of this one,
    /// holds it. @throws Error not_found (no such folder), io (cannot be created)
    static std::optional<FileLock> tryLock(const std::filesystem::path& path);
    /// Whether anybody holds it just now, this process included. Nothing is created; a tryLock() in the same
    /// moment may fail. @throws Error io (no permission)
    static bool isHeld(const std::filesystem::path& path);
    FileLock(FileLock&&) noexcept = default;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock() { release(); }

private:
    FileLock(std::filesystem::path path, FileHandle handle)
        : path_(std::move(path)), handle_(std::move(handle)) {}
    void release();

    std::filesystem::path path_;
    FileHandle handle_;
};

}  // namespace spd
