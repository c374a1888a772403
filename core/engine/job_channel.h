#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/engine/event_log.h"
#include "core/engine/job_files.h"
#include "core/protocol/job.h"

namespace spd::engine {

/// What a running job says on its way to the clients: progress, points of curves, output, log lines. Each of
/// them becomes at most ten events a second, the last one never dropped; points and lines are also kept in
/// the job's files. The worker's calls take a lock for microseconds and never wait for a client. Thread-safe.
class JobChannel {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds kInterval{100};
    /// Output that comes faster than this in an interval is sent at once: no event outgrows a client's line.
    static constexpr size_t kMaxBundleBytes = size_t{1} << 20;

    /// Both must outlive this. @param first_metric  number of points that the job's file holds already
    JobChannel(std::string job, int64_t first_metric, JobFiles& files, EventLog& events);

    /// What the stage gets. Good as long as this object.
    JobContext context(std::stop_token stop);
    void metric(nlohmann::ordered_json point);
    void output(nlohmann::ordered_json item);
    void say(const std::string& line);

    /// Sends what waits, when the last sending is kInterval ago or `force`. Called by the engine's I/O thread
    /// while the job runs, and once at its end.
    void flush(bool force);
    protocol::JobProgress latest() const;

private:
    void note(const Progress& progress);
    void sendProgress();
    bool keepMetrics();
    void sendLists();

    const std::string job_;
    JobFiles& files_;
    EventLog& events_;

    mutable std::mutex mutex_;
    protocol::JobProgress latest_;
    bool progress_waits_ = false;
    int64_t next_metric_;
    std::vector<nlohmann::ordered_json> metrics_;
    bool disk_refuses_ = false;  // said once
    std::vector<nlohmann::ordered_json> outputs_;
    size_t output_bytes_ = 0;
    std::vector<std::string> lines_;
    Clock::time_point sent_;
    std::string phase_;
    Clock::time_point phase_start_;
    int64_t phase_first_ = 0;  // `done` when the phase was first seen: a resumed job does not start at 0
};

}  // namespace spd::engine
