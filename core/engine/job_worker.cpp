// JobQueue: the worker's thread.

#include <fmt/format.h>

#include <new>

#include "core/base/error.h"
#include "core/engine/job_queue.h"
#include "core/protocol/message.h"

namespace spd::engine {

using nlohmann::ordered_json;
using protocol::Job;
using protocol::JobState;

namespace {

void fail(Job& job, const protocol::Failure& failure) {
    job.state = JobState::failed;
    job.failure = {.kind = failure.kind, .message = failure.message, .details = {}};
    if (failure.data.is_array())
        job.failure->details = failure.data.get<std::vector<std::string>>();
}

}  // namespace

void JobQueue::work(const std::stop_token& stop) {
    while (true) {
        std::string id;
        {
            std::unique_lock lock(mutex_);
            if (!work_there_.wait(lock, stop, [this] { return !queue_.empty(); }) || ending_)
                return;
            id = queue_.front();
            queue_.pop_front();
            running_ = id;
            stop_running_ = {};
            Job& job = jobs_.at(id);
            job.state = JobState::running;
            job.started = protocol::currentTime();
            changed(job);
            positionsChanged();
        }
        runOne(id);
    }
}

/// A job may end in any way that C++ knows; the engine goes on.
void JobQueue::runOne(const std::string& id) {
    Job job;
    std::stop_token stop;
    const int64_t earlier_points = files_.countMetrics(id);
    {
        const std::scoped_lock lock(mutex_);
        channel_ = std::make_shared<JobChannel>(id, earlier_points, files_, events_);
        job = jobs_.at(id);
        stop = stop_running_.get_token();
    }
    try {
        const ordered_json result = attempt(job, stop);
        endJob(id, [&](Job& ended) {
            ended.state = JobState::finished;
            ended.result = result;
        });
    } catch (const Cancelled&) {
        endJob(id, [](Job& ended) { ended.state = JobState::cancelled; });
    } catch (const Error& error) {
        endJob(id, [&](Job& ended) { fail(ended, protocol::failureOf(error)); });
    } catch (const std::bad_alloc&) {
        const Error error(ErrorKind::out_of_memory, "out of memory");
        endJob(id, [&](Job& ended) { fail(ended, protocol::failureOf(error)); });
    } catch (const std::exception& other) {
        const Error error(ErrorKind::internal, fmt::format("internal error: {}", printable(other.what())));
        endJob(id, [&](Job& ended) { fail(ended, protocol::failureOf(error)); });
    }
}

ordered_json JobQueue::attempt(const Job& job, const std::stop_token& stop) {
    return kinds_.at(job.kind).run(job.params, *channel_, channel_->context(stop));
}

void JobQueue::endJob(const std::string& id, const std::function<void(Job&)>& change) {
    channel_->flush(/*force=*/true);
    const std::scoped_lock lock(mutex_);
    Job& job = jobs_.at(id);
    change(job);
    job.stopping = false;
    job.ended = protocol::currentTime();
    running_.clear();
    channel_.reset();
    changed(job);
    forgetOldest();
}

}  // namespace spd::engine
