#include "core/engine/event_log.h"

#include <utility>

#include "core/protocol/message.h"

namespace spd::engine {

using nlohmann::ordered_json;

EventLog::EventLog(Limits limits, std::function<void()> on_event)
    : limits_(limits), on_event_(std::move(on_event)) {}

int64_t EventLog::append(const std::string& method, const ordered_json& params) {
    int64_t seq = 0;
    {
        const std::scoped_lock lock(mutex_);
        seq = next_++;
        ordered_json numbered = {{"seq", seq}};
        numbered.update(params);
        lines_.push_back(protocol::toLine(protocol::Notification{method, std::move(numbered)}));
        bytes_ += lines_.back().size();
        while (lines_.size() > limits_.events || (bytes_ > limits_.bytes && lines_.size() > 1)) {
            bytes_ -= lines_.front().size();
            lines_.pop_front();
        }
    }
    if (on_event_)
        on_event_();
    return seq;
}

EventLog::Piece EventLog::read(int64_t from, size_t max_bytes) const {
    const std::scoped_lock lock(mutex_);
    Piece piece{.lines = {}, .next = from};
    const int64_t kept_from = next_ - static_cast<int64_t>(lines_.size());
    if (from < kept_from) {
        piece.lines =
            protocol::toLine(protocol::Notification{"events.lost", {{"from", from}, {"to", kept_from - 1}}});
        piece.next = kept_from;
    }
    while (piece.next < next_ && piece.lines.size() < max_bytes)
        piece.lines += lines_[static_cast<size_t>(piece.next++ - kept_from)];
    return piece;
}

int64_t EventLog::oldest() const {
    const std::scoped_lock lock(mutex_);
    return next_ - static_cast<int64_t>(lines_.size());
}

int64_t EventLog::next() const {
    const std::scoped_lock lock(mutex_);
    return next_;
}

}  // namespace spd::engine
