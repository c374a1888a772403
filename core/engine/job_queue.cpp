#include "core/engine/job_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/error.h"
#include "core/protocol/message.h"

namespace spd::engine {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Job;
using protocol::JobState;
using protocol::Refusal;

JobQueue::JobQueue(const std::filesystem::path& folder, std::map<std::string, JobKind> kinds,
                   EventLog& events)
    : files_(folder), kinds_(std::move(kinds)), events_(events) {
    for (Job& job : files_.readAll(unread_)) {
        if (!hasEnded(job.state)) {
            job.state = JobState::interrupted;
            job.stopping = false;
            job.ended =
                protocol::currentTime();  // not written: the disk may be full, and each start finds the same
        }
        int64_t number = 0;
        const std::string digits = job.id.substr(std::min<size_t>(job.id.size(), 4));
        if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc())
            next_id_ = std::max(next_id_, number + 1);
        jobs_.emplace(job.id, std::move(job));
    }
    forgetOldest();
}

JobQueue::~JobQueue() {
    end();
}

void JobQueue::begin() {
    worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void JobQueue::end() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
        for (const std::string& id : queue_) {
            jobs_.at(id).state = JobState::interrupted;
            jobs_.at(id).ended = protocol::currentTime();
            changed(jobs_.at(id));
        }
        queue_.clear();
        stop_running_.request_stop();
    }
    worker_ = {};  // asks to stop and joins
}

Job JobQueue::start(const std::string& kind, const ordered_json& params, const std::string& title) {
    const auto found = kinds_.find(kind);
    if (found == kinds_.end())
        throw Refusal(Code::invalid_params, fmt::format("kind: no such kind: {}", printable(kind)));
    Job job;
    job.params = found->second.check(params);
    job.kind = kind;
    job.title = title.empty() ? kind : title;
    job.resumable = found->second.resumable;
    const std::scoped_lock lock(mutex_);
    requireNotEnding();
    job.id = fmt::format("job-{:06}", next_id_);
    job.queued = protocol::currentTime();
    files_.write(job);
    ++next_id_;
    enqueue(jobs_.emplace(job.id, std::move(job)).first->second);
    return withPosition(jobs_.rbegin()->second);
}

void JobQueue::requireNotEnding() const {
    if (ending_)
        throw Refusal(Code::busy, "the engine is ending: connect again");
}

void JobQueue::enqueue(Job& job) {
    job.state = JobState::queued;
    job.failure.reset();
    job.result = nullptr;
    job.ended = 0;
    queue_.push_back(job.id);
    changed(job);
    work_there_.notify_all();
}

void JobQueue::cancel(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    Job& job = find(id);
    if (hasEnded(job.state))
        throw Refusal(Code::busy, fmt::format("job {} has ended ({})", id, name(job.state)));
    if (job.state == JobState::running) {
        job.stopping = true;
        stop_running_.request_stop();
        changed(job);
        return;
    }
    std::erase(queue_, id);
    job.state = JobState::cancelled;
    job.ended = protocol::currentTime();
    changed(job);
    positionsChanged();
}

void JobQueue::resume(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    Job& job = find(id);
    if (!hasEnded(job.state) || job.state == JobState::finished)
        throw Refusal(Code::busy, fmt::format("job {} is {}: nothing to resume", id, name(job.state)));
    requireNotEnding();
    const auto kind = kinds_.find(job.kind);
    if (kind == kinds_.end() || !kind->second.resumable)
        throw Refusal(Code::busy, fmt::format("job {} cannot be resumed: start it anew", id));
    enqueue(job);
}

void JobQueue::move(const std::string& id, int64_t position) {
    const std::scoped_lock lock(mutex_);
    if (find(id).state != JobState::queued)
        throw Refusal(Code::busy,
                      fmt::format("job {} is {}: it has no place in the queue", id, name(find(id).state)));
    std::erase(queue_, id);
    queue_.insert(queue_.begin() + std::clamp<int64_t>(position, 0, std::ssize(queue_)), id);
    positionsChanged();
}

void JobQueue::remove(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    if (find(id).state == JobState::running)
        throw Refusal(Code::busy, fmt::format("job {} is running: cancel it first", id));
    std::erase(queue_, id);
    jobs_.erase(id);
    files_.remove(id);
    events_.append("job.removed", {{"job", id}});
    positionsChanged();
}

std::vector<ordered_json> JobQueue::list() const {
    const std::scoped_lock lock(mutex_);
    std::vector<ordered_json> listed;
    for (const auto& [id, job] : jobs_) {
        listed.push_back(withPosition(job).toJson());
        if (id == running_ && channel_)
            listed.back()["progress"] = channel_->latest().toJson();
    }
    return listed;
}

JobFiles::Points JobQueue::metrics(const std::string& id, int64_t from, int64_t limit) const {
    requireJob(id);
    return files_.metrics(id, from, limit);
}

std::vector<std::string> JobQueue::log(const std::string& id, int64_t limit) const {
    requireJob(id);
    return files_.log(id, limit);
}

/// Files are read without the lock: a long curve must not keep the I/O thread waiting.
void JobQueue::requireJob(const std::string& id) const {
    const std::scoped_lock lock(mutex_);
    find(id);
}

void JobQueue::flush() {
    std::shared_ptr<JobChannel> channel;
    {
        const std::scoped_lock lock(mutex_);
        channel = channel_;
    }
    if (channel)
        channel->flush(/*force=*/false);
}

bool JobQueue::idle() const {
    const std::scoped_lock lock(mutex_);
    return running_.empty() && queue_.empty();
}

void JobQueue::changed(const Job& job) {
    try {
        files_.write(job);
    } catch (const Error& error) {  // what runs goes on; only a later engine would not know of it
        events_.append("log", {{"lines", {fmt::format("job {} is not kept: {}", job.id, error.what())}}});
    }
    events_.append("job.changed", withPosition(job).toJson());
}

void JobQueue::positionsChanged() {
    for (const std::string& id : queue_)
        events_.append("job.changed", withPosition(jobs_.at(id)).toJson());
}

/// Of those that have ended the ones that ended first.
void JobQueue::forgetOldest() {
    std::vector<std::pair<int64_t, std::string>> ended;
    for (const auto& [id, job] : jobs_)
        if (hasEnded(job.state))
            ended.emplace_back(job.ended, id);
    std::sort(ended.begin(), ended.end());
    for (size_t i = 0; i + kMaxEnded < ended.size(); ++i) {
        jobs_.erase(ended[i].second);
        files_.remove(ended[i].second);
        events_.append("job.removed", {{"job", ended[i].second}});
    }
}

const Job& JobQueue::find(const std::string& id) const {
    const auto found = jobs_.find(id);
    if (found == jobs_.end())
        throw Error(ErrorKind::not_found, fmt::format("no such job: {}", printable(id)));
    return found->second;
}

Job& JobQueue::find(const std::string& id) {
    return const_cast<Job&>(std::as_const(*this).find(id));
}

Job JobQueue::withPosition(const Job& job) const {
    Job placed = job;
    const auto found = std::find(queue_.begin(), queue_.end(), job.id);
    placed.position = found == queue_.end() ? std::nullopt : std::optional(found - queue_.begin());
    return placed;
}

}  // namespace spd::engine
