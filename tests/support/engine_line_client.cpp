#include "tests/support/engine_line_client.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "core/protocol/message.h"

namespace spd::test {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

EngineLineClient::~EngineLineClient() {
    close(in_);
    if (out_ != in_)
        close(out_);
}

void EngineLineClient::write(const std::string& bytes) const {
    size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t written = ::write(out_, bytes.data() + sent, bytes.size() - sent);
        if (written < 0)
            throw std::runtime_error("the engine does not read");
        sent += static_cast<size_t>(written);
    }
}

int64_t EngineLineClient::send(const std::string& method, const ordered_json& params) {
    const int64_t id = next_id_++;
    write(toLine(protocol::Request{id, method, params}));
    return id;
}

ordered_json EngineLineClient::next(std::chrono::milliseconds limit) {
    const Clock::time_point end = Clock::now() + limit;
    while (true) {
        if (auto line = lines_.next())
            return ordered_json::parse(line->text);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        pollfd watched = {in_, POLLIN, 0};
        if (ended_ || left.count() <= 0 || poll(&watched, 1, static_cast<int>(left.count())) <= 0)
            return nullptr;
        std::array<char, 65536> piece;
        const ssize_t received = read(in_, piece.data(), piece.size());
        ended_ = received <= 0;
        if (received > 0)
            lines_.append({piece.data(), static_cast<size_t>(received)});
    }
}

ordered_json EngineLineClient::responseTo(const ordered_json& id) {
    while (true) {
        ordered_json message = next();
        if (message.is_null() || (message.contains("id") && message["id"] == id))
            return message;
        kept_.push_back(std::move(message));
    }
}

ordered_json EngineLineClient::ask(const std::string& method, const ordered_json& params) {
    return responseTo(send(method, params));
}

ordered_json EngineLineClient::greet() {
    const ordered_json hello =
        ask("hello", {{"protocol", protocol::kVersion}, {"client", "test"}}).at("result");
    ask("subscribe", {{"session", hello.at("session")}, {"from", 1}});
    return hello;
}

ordered_json EngineLineClient::event(const std::function<bool(const ordered_json&)>& fits,
                                     std::chrono::milliseconds limit) {
    const Clock::time_point end = Clock::now() + limit;
    while (true) {
        ordered_json message;
        if (kept_.empty()) {
            message = next(std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()));
        } else {
            message = std::move(kept_.front());
            kept_.pop_front();
        }
        if (message.is_null() || (message.contains("method") && fits(message)))
            return message;
    }
}

}  // namespace spd::test
