#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

namespace spd::engine {

/// The last events of an engine with their sequence numbers: what every client reads from, each at its own
/// pace. A client that falls behind the oldest one kept learns what it lost; nobody waits for it.
/// Thread-safe.
class EventLog {
public:
    struct Limits {
        size_t events = 20'000;
        size_t bytes = size_t{32} << 20;
    };
    /// @param on_event  called after each event, from the thread that appended it; must not append.
    EventLog(Limits limits, std::function<void()> on_event);

    /// @param params  an object; gets "seq" in front. @return its sequence number
    int64_t append(const std::string& method, const nlohmann::ordered_json& params);

    struct Piece {
        std::string lines;  ///< whole messages
        int64_t next = 0;   ///< where to read on
    };
    /// Events from `from` on, at least one where there is any, else up to about `max_bytes`. Where the first
    /// ones are no longer kept, an events.lost stands in their place.
    Piece read(int64_t from, size_t max_bytes) const;

    int64_t oldest() const;  ///< that is kept; next() when none is
    int64_t next() const;    ///< sequence number of the next event; the first is 1

private:
    Limits limits_;
    std::function<void()> on_event_;
    mutable std::mutex mutex_;
    std::deque<std::string> lines_;  // of events next_ - size .. next_ - 1
    size_t bytes_ = 0;
    int64_t next_ = 1;
};

}  // namespace spd::engine
