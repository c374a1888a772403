#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "core/base/error.h"

namespace spd {

/// How far a stage has come. Sent from the thread that runs the stage; the receiver limits the rate.
struct Progress {
    std::string phase;             ///< what is being done, in the user's words: "generate"
    int64_t done = 0;              ///< units finished
    int64_t total = 0;             ///< units in all; 0 when unknown
    double tokens_per_second = 0;  ///< 0 where tokens mean nothing
    std::string note = {};         ///< what else is worth a look: "loss 1.92, lr 8.1e-06"
};

/// What a long stage gets from its caller: when to stop, where to report. A value; copies share the stop
/// state.
struct JobContext {
    std::stop_token stop;
    std::function<void(const Progress&)> on_progress;  ///< may be empty
    /// A line that must be seen even where nobody watches the progress (a warning, a decision); may be empty.
    std::function<void(const std::string&)> on_message = {};

    /// Polled once per example, token or optimizer step. @throws Cancelled
    void checkStop() const {
        if (stop.stop_requested())
            throw Cancelled();
    }
    void report(const Progress& progress) const {
        if (on_progress)
            on_progress(progress);
    }
    void say(const std::string& message) const {
        if (on_message)
            on_message(message);
    }
};

}  // namespace spd
