#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/store/run_records.h"

namespace spd {

class RunStore;

/// Collects metrics and logs them at most once a second, so that a fast loop costs one transaction a second.
/// What is collected and not yet logged is lost with the process (training_log.jsonl has it); after an error
/// it stays collected and goes with the next try. For the thread of its store, which must outlive it.
class MetricBatch {
public:
    MetricBatch(RunStore& store, std::string run) : store_(store), run_(std::move(run)) {}

    /// @throws Error as RunStore::logMetrics()
    void add(Metric metric);
    /// Logs what is left; the destructor does not. @throws Error as RunStore::logMetrics()
    void flush();

private:
    RunStore& store_;
    std::string run_;
    std::vector<Metric> waiting_;
    std::chrono::steady_clock::time_point last_{};
};

}  // namespace spd
