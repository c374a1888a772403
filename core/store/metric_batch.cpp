#include "core/store/metric_batch.h"

#include "core/store/run_store.h"

namespace spd {

void MetricBatch::add(Metric metric) {
    waiting_.push_back(std::move(metric));
    if (std::chrono::steady_clock::now() - last_ >= std::chrono::seconds(1))
        flush();
}

void MetricBatch::flush() {
    last_ = std::chrono::steady_clock::now();  // also after a failure: not one try a step on a full disk
    if (waiting_.empty())
        return;
    store_.logMetrics(run_, waiting_);
    waiting_.clear();
}

}  // namespace spd
