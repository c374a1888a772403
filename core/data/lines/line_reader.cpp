#include "core/data/lines/line_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"

namespace spd {
namespace {

constexpr int64_t kBlock = 1 << 18;

}  // namespace

LineReader::LineReader(const FileHandle& file, std::string name, int64_t size, int64_t max_line)
    : file_(file), name_(std::move(name)), size_(size), max_line_(max_line) {}

bool LineReader::next() {
    offset_ = block_offset_ + static_cast<int64_t>(position_);
    if (offset_ >= size_)
        return false;
    ++number_;
    length_ = 0;
    has_end_ = false;
    long_line_ = std::string();
    const char* begin = nullptr;
    bool whole = true;  // lies in one block
    while (!has_end_ && (position_ < block_.size() || fill())) {
        begin = block_.data() + position_;
        const size_t rest = block_.size() - position_;
        const size_t end = block_.find('\n', position_);
        has_end_ = end != std::string::npos;
        const size_t count = has_end_ ? end - position_ : rest;
        whole = length_ == 0;
        length_ += static_cast<int64_t>(count);
        position_ += count + (has_end_ ? 1 : 0);
    }
    text_ = {};
    if (tooLong())
        return true;
    if (whole) {
        text_ = std::string_view(begin, static_cast<size_t>(length_));
    } else {
        // Its length is known only now: read again into exactly that, instead of growing a buffer.
        long_line_.resize(static_cast<size_t>(length_));
        readAt(offset_, long_line_.data(), long_line_.size());
        text_ = long_line_;
    }
    return true;
}

std::string LineReader::head() const {
    std::string bytes(static_cast<size_t>(std::min<int64_t>(size_, 4096)), '\0');
    readAt(0, bytes.data(), bytes.size());
    return bytes;
}

bool LineReader::fill() {
    const int64_t end = block_offset_ + static_cast<int64_t>(block_.size());
    if (end >= size_)
        return false;  // and the block stays, since a last line may lie in it
    block_offset_ = end;
    position_ = 0;
    block_.resize(static_cast<size_t>(std::min(size_ - end, kBlock)));
    readAt(end, block_.data(), block_.size());
    return true;
}

void LineReader::readAt(int64_t offset, char* out, size_t count) const {
    size_t done = 0;
    while (done < count) {
        const ssize_t got = ::pread(file_.descriptor(), out + done, count - done,
                                    static_cast<off_t>(offset) + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throwSystemError(name_, "cannot read");
        if (got == 0)
            throw Error(ErrorKind::io, printable(name_, 1000) + ": became shorter while it was read");
        done += static_cast<size_t>(got);
    }
}

}  // namespace spd
