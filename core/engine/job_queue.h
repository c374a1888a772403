#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/engine/event_log.h"
#include "core/engine/job_channel.h"
#include "core/engine/job_files.h"
#include "core/protocol/job.h"

namespace spd::engine {

/// What an engine can be asked to do.
struct JobKind {
    /// Refuses params before anything is queued; @return them, completed. @throws Error, protocol::Refusal
    std::function<nlohmann::ordered_json(const nlohmann::ordered_json& params)> check;
    /// Does it, in the worker's thread. @return what the client is told. @throws Error; Cancelled
    std::function<nlohmann::ordered_json(const nlohmann::ordered_json& params, JobChannel& channel,
                                         const JobContext& context)>
        run;
    bool resumable = false;  ///< run() with the same params goes on where an earlier one was stopped
};

/// The jobs of an engine: a queue, one worker, files that outlive both. Public members may be called from any
/// thread. They throw Refusal invalid_params (no such kind), Error not_found (no such job), Refusal busy (not
/// in this state), and what JobKind::check throws.
class JobQueue {
public:
    /// Reads what an earlier engine left: jobs that it had not ended are interrupted. The worker waits for
    /// begin(). @param events  must outlive this.
    JobQueue(const std::filesystem::path& folder, std::map<std::string, JobKind> kinds, EventLog& events);
    ~JobQueue();
    JobQueue(const JobQueue&) = delete;
    JobQueue& operator=(const JobQueue&) = delete;

    void begin();  ///< starts the worker's thread
    /// The running job is asked to stop and waited for; the rest of the queue is left as interrupted.
    void end();

    protocol::Job start(const std::string& kind, const nlohmann::ordered_json& params,
                        const std::string& title);
    void cancel(const std::string& job);
    void resume(const std::string& job);
    void move(const std::string& job, int64_t position);
    void remove(const std::string& job);

    /// Each with its progress, as PROTOCOL.md has it.
    std::vector<nlohmann::ordered_json> list() const;
    JobFiles::Points metrics(const std::string& job, int64_t from, int64_t limit) const;
    std::vector<std::string> log(const std::string& job, int64_t limit) const;

    void flush();       ///< lets the running job's events out; to be called every 100 ms
    bool idle() const;  ///< nothing runs, nothing waits
    /// What could not be read of an earlier engine's jobs, a line each.
    const std::vector<std::string>& unread() const { return unread_; }

private:
    static constexpr size_t kMaxEnded = 200;

    void work(const std::stop_token& stop);
    void runOne(const std::string& id);
    nlohmann::ordered_json attempt(const protocol::Job& job, const std::stop_token& stop);
    void endJob(const std::string& id, const std::function<void(protocol::Job&)>& change);
    void enqueue(protocol::Job& job);
    void changed(const protocol::Job& job);
    void positionsChanged();
    void forgetOldest();
    void requireJob(const std::string& id) const;
    void requireNotEnding() const;
    protocol::Job& find(const std::string& id);
    const protocol::Job& find(const std::string& id) const;
    protocol::Job withPosition(const protocol::Job& job) const;

    JobFiles files_;
    const std::map<std::string, JobKind> kinds_;
    EventLog& events_;
    std::vector<std::string> unread_;

    mutable std::mutex mutex_;
    std::condition_variable_any work_there_;
    std::map<std::string, protocol::Job> jobs_;  // by id, which grows
    std::deque<std::string> queue_;
    std::string running_;  // id; empty: none
    std::shared_ptr<JobChannel> channel_;
    std::stop_source stop_running_;
    int64_t next_id_ = 1;
    bool ending_ = false;  // nothing begins any more
    std::jthread worker_;
};

}  // namespace spd::engine
