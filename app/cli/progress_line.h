#pragma once

#include <chrono>
#include <functional>

#include "core/base/job_context.h"

namespace spd::cli {

/// One line on standard error that is rewritten in place at most ten times a second: phase, done of total,
/// note, rate, time left. Nothing is written where standard error is no terminal. The destructor ends the
/// line.
class ProgressLine {
public:
    ProgressLine();
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const Progress& progress);
    /// A line of its own, on a terminal or not.
    void say(const std::string& message);
    /// `context` with its reports going to this line, which must outlive the stage.
    JobContext attach(const JobContext& context);

private:
    using Clock = std::chrono::steady_clock;

    bool on_terminal_;
    bool shown_ = false;
    std::string phase_;
    Clock::time_point phase_start_;
    int64_t phase_first_ = 0;  // done when the phase was first seen: a resumed run does not start at 0
    Clock::time_point last_;
};

}  // namespace spd::cli
