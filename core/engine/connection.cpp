#include "core/engine/connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace spd::engine {

Connection::Connection(int64_t id, FileHandle socket) : id_(id), socket_(std::move(socket)) {}

/// One piece a call: other clients get their turn.
bool Connection::receive() {
    std::array<char, 65536> piece;
    const ssize_t received = recv(socket_.descriptor(), piece.data(), piece.size(), 0);
    if (received > 0)
        lines_.append({piece.data(), static_cast<size_t>(received)});
    return received > 0 || (received < 0 && (errno == EAGAIN || errno == EINTR));
}

bool Connection::transmit(const EventLog& events) {
    while (true) {
        if (sent_ == out_.size()) {
            out_.clear();
            sent_ = 0;
            if (next_event_ == 0 || next_event_ >= events.next())
                return true;
            EventLog::Piece piece = events.read(next_event_, kEventPiece);
            next_event_ = piece.next;
            out_ = std::move(piece.lines);
        }
        const ssize_t written =
            ::send(socket_.descriptor(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
        if (written < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (written <= 0)
            return false;
        sent_ += static_cast<size_t>(written);
    }
}

}  // namespace spd::engine
