#include "core/engine/query_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "core/base/error.h"

namespace spd::engine {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Refusal;
using protocol::Request;
using protocol::Response;

Response answer(const Request& request, const Query& query) {
    try {
        return {request.id, query(request.params)};
    } catch (const Refusal& refusal) {
        return {request.id, refusal.failure()};
    } catch (const Error& error) {
        return {request.id, protocol::failureOf(error)};
    } catch (const Cancelled&) {
        return {request.id, Refusal(Code::cancelled, "cancelled").failure()};
    } catch (const std::bad_alloc&) {
        return {request.id, protocol::failureOf(Error(ErrorKind::out_of_memory, "out of memory"))};
    } catch (const std::exception& other) {
        return {request.id,
                protocol::failureOf(
                    Error(ErrorKind::internal, fmt::format("internal error: {}", printable(other.what()))))};
    }
}

QueryThread::QueryThread(std::function<void()> on_answer)
    : on_answer_(std::move(on_answer)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

void QueryThread::ask(int64_t connection, Request request, Query query) {
    const std::scoped_lock lock(mutex_);
    if (ended_)
        return;
    asked_.push_back({connection, std::move(request), std::move(query)});
    asked_there_.notify_one();
}

bool QueryThread::cancel(int64_t connection, const ordered_json& id) {
    {
        const std::scoped_lock lock(mutex_);
        const auto found = std::find_if(asked_.begin(), asked_.end(), [&](const Asked& asked) {
            return asked.connection == connection && asked.request.id == id;
        });
        if (found == asked_.end())
            return false;
        answers_.push_back({connection, {id, Refusal(Code::cancelled, "cancelled").failure()}});
        asked_.erase(found);
    }
    on_answer_();
    return true;
}

void QueryThread::end() {
    {
        const std::scoped_lock lock(mutex_);
        asked_.clear();
        ended_ = true;
    }
    thread_ = {};  // asks to stop and joins
}

void QueryThread::forget(int64_t connection) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(asked_, [&](const Asked& asked) { return asked.connection == connection; });
}

std::vector<QueryThread::Answer> QueryThread::takeAnswers() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(answers_, {});
}

size_t QueryThread::waiting(int64_t connection) const {
    const std::scoped_lock lock(mutex_);
    const auto waiting = std::count_if(asked_.begin(), asked_.end(),
                                       [&](const Asked& asked) { return asked.connection == connection; });
    return static_cast<size_t>(waiting) + (at_work_ == connection ? 1 : 0);
}

void QueryThread::work(const std::stop_token& stop) {
    while (true) {
        Asked asked;
        {
            std::unique_lock lock(mutex_);
            at_work_ = 0;
            if (!asked_there_.wait(lock, stop, [this] { return !asked_.empty(); }))
                return;
            asked = std::move(asked_.front());
            asked_.pop_front();
            at_work_ = asked.connection;
        }
        Response response = answer(asked.request, asked.query);
        {
            const std::scoped_lock lock(mutex_);
            answers_.push_back({asked.connection, std::move(response)});
        }
        on_answer_();
    }
}

}  // namespace spd::engine
