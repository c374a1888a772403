#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/protocol/line_splitter.h"

namespace spd::test {

/// The plainest client of an engine: descriptors, lines, waits with a limit.
class EngineLineClient {
public:
    /// The descriptors are closed at the end; `in` and `out` may be one.
    EngineLineClient(int in, int out) : in_(in), out_(out) {}
    ~EngineLineClient();
    EngineLineClient(const EngineLineClient&) = delete;
    EngineLineClient& operator=(const EngineLineClient&) = delete;

    void write(const std::string& bytes) const;
    /// Sends a request. @return its id
    int64_t send(const std::string& method,
                 const nlohmann::ordered_json& params = nlohmann::ordered_json::object());
    /// Sends it and waits for its response, the whole of it; events that come meanwhile are kept.
    nlohmann::ordered_json ask(const std::string& method,
                               const nlohmann::ordered_json& params = nlohmann::ordered_json::object());
    /// The response to a request that was sent.
    nlohmann::ordered_json responseTo(const nlohmann::ordered_json& id);
    /// hello, and a subscription from the first event on. @return what hello answered
    nlohmann::ordered_json greet();
    /// The next event that fits, those before it are dropped; null when none came in time.
    nlohmann::ordered_json event(const std::function<bool(const nlohmann::ordered_json&)>& fits,
                                 std::chrono::milliseconds limit = std::chrono::seconds(20));
    /// The next message of any kind; null at the end of the stream or when none came in time.
    nlohmann::ordered_json next(std::chrono::milliseconds limit = std::chrono::seconds(20));
    bool atEnd() const { return ended_; }

private:
    int in_;
    int out_;
    bool ended_ = false;
    int64_t next_id_ = 1;
    protocol::LineSplitter lines_{size_t{64} << 20};
    std::deque<nlohmann::ordered_json> kept_;  // read while something else was waited for
};

}  // namespace spd::test
