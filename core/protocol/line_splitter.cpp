#include "core/protocol/line_splitter.h"

namespace spd::protocol {

void LineSplitter::append(std::string_view bytes) {
    dropWhatIsRead();
    buffer_.append(bytes);
}

/// Moving the rest is paid by what was read: each byte is moved once for each byte read at most.
void LineSplitter::dropWhatIsRead() {
    if (start_ < buffer_.size() / 2)
        return;
    buffer_.erase(0, start_);
    searched_ -= start_;
    start_ = 0;
}

std::optional<LineSplitter::Line> LineSplitter::next() {
    const size_t end = buffer_.find('\n', searched_);
    if (end == std::string::npos) {
        searched_ = buffer_.size();
        if (dropping_ || pending() > max_bytes_) {
            dropping_ = true;
            start_ = buffer_.size();
            dropWhatIsRead();
        }
        return std::nullopt;
    }
    Line line;
    line.too_long = dropping_ || end - start_ > max_bytes_;
    if (!line.too_long)
        line.text = buffer_.substr(start_, end - start_);
    dropping_ = false;
    start_ = searched_ = end + 1;
    return line;
}

}  // namespace spd::protocol
