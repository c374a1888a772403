#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/files.h"

namespace spd {

/// The lines of an open file, one after another. Memory is one block and one line; a line over the limit is
/// counted but never held. Not thread-safe.
class LineReader {
public:
    /// @param file  outlives the reader.
    /// @param name  of the file in messages.
    /// @param size  bytes to read; what is behind them is not looked at.
    LineReader(const FileHandle& file, std::string name, int64_t size, int64_t max_line);

    /// The file's first bytes, at most 4 KiB. @throws Error io
    std::string head() const;

    /// Moves to the next line. @return false at the end. @throws Error io
    bool next();

    int64_t number() const { return number_; }  ///< from 0
    int64_t offset() const { return offset_; }  ///< of its first byte in the file
    int64_t length() const { return length_; }  ///< bytes without LF
    bool hasEnd() const { return has_end_; }    ///< LF follows
    bool tooLong() const { return length_ > max_line_; }
    /// Without LF; empty when too long. Valid until next().
    std::string_view text() const { return text_; }

private:
    bool fill();
    void readAt(int64_t offset, char* out, size_t count) const;

    const FileHandle& file_;
    std::string name_;
    int64_t size_;
    int64_t max_line_;
    std::string block_;
    int64_t block_offset_ = 0;
    size_t position_ = 0;  ///< in the block
    std::string long_line_;
    std::string_view text_;
    int64_t number_ = -1;
    int64_t offset_ = 0;
    int64_t length_ = 0;
    bool has_end_ = false;
};

}  // namespace spd
