#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/files.h"
#include "core/engine/event_log.h"
#include "core/protocol/line_splitter.h"
#include "core/protocol/message.h"

namespace spd::engine {

/// One client's socket and what is on its way there. Nothing here waits: bytes that the client does not take
/// stay, events are fetched only as it takes them, and nothing more is read from a client that does not read.
class Connection {
public:
    /// @param socket  non-blocking.
    Connection(int64_t id, FileHandle socket);

    int64_t id() const { return id_; }
    int descriptor() const { return socket_.descriptor(); }

    /// Takes what has come. @return false at the end of the stream
    bool receive();
    std::optional<protocol::LineSplitter::Line> nextLine() { return lines_.next(); }

    void send(const std::string& line) { out_ += line; }
    /// Events from `seq` on follow behind what is on its way.
    void follow(int64_t seq) { next_event_ = seq; }
    /// Writes as much as the client takes, fetching events as there is room. @return false when it is gone
    bool transmit(const EventLog& events);
    /// Whether bytes wait for the client to take them.
    bool isBlocked() const { return sent_ < out_.size(); }
    /// Whether more may be read: not from a client that leaves its answers lying.
    bool mayReceive() const { return out_.size() - sent_ < kMaxWaiting; }

    bool greeted = false;  ///< has said hello

private:
    static constexpr size_t kMaxWaiting = size_t{8} << 20;
    static constexpr size_t kEventPiece = size_t{256} << 10;

    int64_t id_;
    FileHandle socket_;
    protocol::LineSplitter lines_{protocol::kMaxRequestBytes};
    std::string out_;
    size_t sent_ = 0;         // of out_
    int64_t next_event_ = 0;  // 0: not subscribed
};

}  // namespace spd::engine
