#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace spd::protocol {

/// Cuts a stream of bytes into lines, whatever pieces it comes in. A line above the limit is dropped as it
/// comes, so memory stays below the limit and one piece; what follows its end is read on.
class LineSplitter {
public:
    explicit LineSplitter(size_t max_bytes) : max_bytes_(max_bytes) {}

    void append(std::string_view bytes);

    struct Line {
        std::string text;       ///< without its end; empty when too_long
        bool too_long = false;  ///< above the limit
    };
    /// The next whole line. @return nothing when more bytes are needed
    std::optional<Line> next();
    /// Bytes of a line that has not ended.
    size_t pending() const { return buffer_.size() - start_; }

private:
    void dropWhatIsRead();

    size_t max_bytes_;
    std::string buffer_;
    size_t start_ = 0;       // of the next line in the buffer
    size_t searched_ = 0;    // no line end lies between start_ and here
    bool dropping_ = false;  // the line at start_ was above the limit
};

}  // namespace spd::protocol
