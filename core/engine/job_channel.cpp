#include "core/engine/job_channel.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <utility>

#include "core/base/error.h"

namespace spd::engine {

using nlohmann::ordered_json;

JobChannel::JobChannel(std::string job, int64_t first_metric, JobFiles& files, EventLog& events)
    : job_(std::move(job)), files_(files), events_(events), next_metric_(first_metric) {}

JobContext JobChannel::context(std::stop_token stop) {
    return {.stop = std::move(stop),
            .on_progress = [this](const Progress& progress) { note(progress); },
            .on_message = [this](const std::string& line) { say(line); }};
}

void JobChannel::note(const Progress& progress) {
    const Clock::time_point now = Clock::now();
    const std::scoped_lock lock(mutex_);
    if (progress.phase != phase_ || progress.done < phase_first_) {
        phase_ = progress.phase;
        phase_start_ = now;
        phase_first_ = progress.done;
    }
    latest_ = {.progress = progress, .rate = 0, .seconds_left = std::nullopt};
    const double seconds = std::chrono::duration<double>(now - phase_start_).count();
    const auto done_here = static_cast<double>(progress.done - phase_first_);
    if (done_here > 0 && seconds > 0) {
        latest_.rate = done_here / seconds;
        if (progress.total > 0)
            latest_.seconds_left = static_cast<double>(progress.total - progress.done) / latest_.rate;
    }
    progress_waits_ = true;
}

void JobChannel::metric(ordered_json point) {
    const std::scoped_lock lock(mutex_);
    metrics_.push_back(std::move(point));
}

void JobChannel::output(ordered_json item) {
    const size_t bytes = item.dump(-1, ' ', false, ordered_json::error_handler_t::replace).size();
    const std::scoped_lock lock(mutex_);
    outputs_.push_back(std::move(item));
    output_bytes_ += bytes;
    if (output_bytes_ > kMaxBundleBytes)
        sendLists();
}

void JobChannel::say(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}", fmt::gmtime(std::time(nullptr)), line));
}

void JobChannel::flush(bool force) {
    const Clock::time_point now = Clock::now();
    const std::scoped_lock lock(mutex_);
    if (!force && now - sent_ < kInterval)
        return;
    sent_ = now;
    if (progress_waits_)
        sendProgress();
    sendLists();
}

void JobChannel::sendProgress() {
    progress_waits_ = false;
    ordered_json params = {{"job", job_}};
    params.update(latest_.toJson());
    events_.append("job.progress", params);
}

/// Points are sent when they are kept, so that their indices are those of the file; a full disk makes them
/// wait.
bool JobChannel::keepMetrics() {
    try {
        files_.appendMetrics(job_, metrics_);
        return true;
    } catch (const Error& error) {
        if (!std::exchange(disk_refuses_, true))
            lines_.push_back(fmt::format("the curve is not kept, and waits: {}", error.what()));
        return false;
    }
}

void JobChannel::sendLists() {
    if (!metrics_.empty() && keepMetrics()) {
        events_.append("job.metrics", {{"job", job_}, {"first", next_metric_}, {"points", metrics_}});
        next_metric_ += std::ssize(metrics_);
        metrics_.clear();
    }
    if (!outputs_.empty()) {
        events_.append("job.output", {{"job", job_}, {"output", outputs_}});
        outputs_.clear();
        output_bytes_ = 0;
    }
    if (!lines_.empty()) {
        try {
            files_.appendLog(job_, lines_);
        } catch (const Error&) {  // the disk is full: they are said, and lost to a later window
        }
        events_.append("log", {{"job", job_}, {"lines", lines_}});
        lines_.clear();
    }
}

protocol::JobProgress JobChannel::latest() const {
    const std::scoped_lock lock(mutex_);
    return latest_;
}

}  // namespace spd::engine
