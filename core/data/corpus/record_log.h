#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/files.h"

namespace spd {

/// A file that grows by whole lines, each on the disk before append() returns. Not thread-safe.
class RecordLog {
public:
    /// Where a line lies in the file; length without its line end.
    struct Place {
        int64_t offset = -1;  ///< -1: nowhere
        int64_t length = 0;
    };

    /// An empty one, made or emptied, and on the disk. @throws Error io, not_found
    static RecordLog create(const std::filesystem::path& path);

    /// One that an earlier process left. Its last line is cut off where it has no line end or is no record.
    /// @param on_line  gets the lines in order; throws rowError() for what is no record.
    /// @throws Error io, not_found; file_format when a line before the last is no record
    static RecordLog resume(const std::filesystem::path& path,
                            const std::function<void(const Place& place, std::string_view line)>& on_line);

    /// @param line  without line end. After an error the file is cut back to its last whole line and takes no
    ///     more: what a failed fsync left in the page cache cannot be trusted. @throws Error io
    Place append(std::string_view line);

    /// The line and its line end. @throws Error io
    std::string read(const Place& place) const;

    /// Closes and removes the file. @throws Error io
    void remove();

private:
    RecordLog(std::filesystem::path path, FileHandle handle)
        : path_(std::move(path)), handle_(std::move(handle)) {}
    void cutTo(int64_t end);
    [[noreturn]] void fail(std::string_view action);

    std::filesystem::path path_;
    FileHandle handle_;
    int64_t end_ = 0;
    bool failed_ = false;
};

}  // namespace spd
