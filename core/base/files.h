#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace spd {

/// Owns a file descriptor; -1 for none.
class FileHandle {
public:
    FileHandle() = default;
    explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
    FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileHandle& operator=(FileHandle&& other) noexcept;
    ~FileHandle() { reset(); }

    int descriptor() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }
    void reset();
    /// Closes and says whether the system did so without an error (errno holds it); delayed writes fail here.
    bool close();

private:
    int descriptor_ = -1;
};

/// "PATH: ACTION: why", for a system call that has just failed (errno).
/// @throws Error not_found (ENOENT, ENOTDIR), io
[[noreturn]] void throwSystemError(const std::filesystem::path& path, std::string_view action);

/// Six random letters or digits: what a temporary name ends in, as mkstemp() makes it.
std::string sixLetters();

/// Whole content of a regular file; opened with O_NONBLOCK and checked by fstat first, so that a FIFO, device
/// or folder is refused instead of hanging.
/// @throws Error not_found, file_format (not a regular file, larger than max_bytes), io
std::string readFile(const std::filesystem::path& path, size_t max_bytes);
/// The same from an open handle; `name` is the name used in messages.
std::string readFile(const FileHandle& file, const std::string& name, size_t max_bytes);

/// Replaces `path` by `content`: temporary file in the same folder, fsync, rename, fsync of the folder. The
/// old file is whole until the new one is. @throws Error as AtomicFile
void writeFileAtomically(const std::filesystem::path& path, std::string_view content);

/// The same for content that comes piece by piece. Without commit() nothing stays; a kill before it leaves
/// .NAME.tmp-XXXXXX with six letters or digits.
class AtomicFile {
public:
    /// @throws Error not_found (no such folder), invalid_argument (no regular file lies there), io
    explicit AtomicFile(const std::filesystem::path& path);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    /// @throws Error io
    void append(std::string_view content);
    /// @throws Error io
    void commit();

private:
    std::filesystem::path path_;
    std::string temporary_;  ///< empty once renamed
    FileHandle handle_;
};

/// fsync of a folder, so that names made or removed in it survive a power loss. @throws Error io
void syncFolder(const std::filesystem::path& folder);

}  // namespace spd
