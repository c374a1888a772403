#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/protocol/message.h"

namespace spd::engine {

/// What answers a request: params in, result out. @throws Error, protocol::Refusal
using Query = std::function<nlohmann::ordered_json(const nlohmann::ordered_json& params)>;

/// Answers requests that read files, one after another in a thread of its own, so that the I/O thread never
/// waits for a disk. Thread-safe.
class QueryThread {
public:
    /// @param on_answer  called from the thread when an answer is there.
    explicit QueryThread(std::function<void()> on_answer);

    struct Answer {
        int64_t connection = 0;
        protocol::Response response;
    };

    void ask(int64_t connection, protocol::Request request, Query query);
    /// @return whether it was still waiting; then it is answered as cancelled
    bool cancel(int64_t connection, const nlohmann::ordered_json& id);
    /// Waits for the request at work; those that wait are dropped. Nothing is answered after it.
    void end();
    /// Forgets what a client that is gone has asked.
    void forget(int64_t connection);
    std::vector<Answer> takeAnswers();
    /// Requests of this connection that wait or are at work.
    size_t waiting(int64_t connection) const;

private:
    struct Asked {
        int64_t connection = 0;
        protocol::Request request;
        Query query;
    };
    void work(const std::stop_token& stop);

    std::function<void()> on_answer_;
    mutable std::mutex mutex_;
    std::condition_variable_any asked_there_;
    std::deque<Asked> asked_;
    bool ended_ = false;
    int64_t at_work_ = 0;  // connection; 0: none
    std::vector<Answer> answers_;
    std::jthread thread_;
};

/// The response to a request: its result, or what was thrown as an error of PROTOCOL.md.
protocol::Response answer(const protocol::Request& request, const Query& query);

}  // namespace spd::engine
