#include "core/calibrate/gram_sums.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "core/subspace/spectrum.h"

namespace spd {
namespace {

struct Widths {
    size_t heads;
    Eigen::Index width;
};

Widths widthsOf(const ModelConfig& config, const CalibrationSettings& settings) {
    return settings.per_head ? Widths{static_cast<size_t>(config.num_key_value_heads), config.head_dim}
                             : Widths{1, config.kvWidth()};
}

TargetSubspace measuredOf(TargetSums& sums, const JobContext& context) {
    TargetSubspace measured;
    measured.rows = sums.rows;
    measured.nonzero_rows = sums.nonzero_rows;
    for (auto& [even, odd] : sums.heads) {
        context.checkStop();
        measured.heads.push_back(spectrumOf(even, odd));
        even.resize(0, 0);
        odd.resize(0, 0);
    }
    return measured;
}

/// Takes one target after the other until none is left or one has failed.
class SpectraJob {
public:
    SpectraJob(GramSums& sums, const JobContext& context) : context_(context) {
        for (auto& [target, of_target] : sums.targets) {
            sums_.push_back(&of_target);
            results_.push_back(&spectra_[target]);
        }
    }

    void work() {
        try {
            for (size_t i = next_++; i < sums_.size() && !failed_; i = next_++) {
                context_.checkStop();
                *results_[i] = measuredOf(*sums_[i], context_);
                const std::lock_guard lock(mutex_);
                context_.report({"decompose", ++done_, static_cast<int64_t>(sums_.size()), 0});
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            failed_ = true;
            error_ = std::current_exception();
        }
    }

    std::map<KvTarget, TargetSubspace> take() {
        if (error_)
            std::rethrow_exception(error_);
        return std::move(spectra_);
    }

private:
    const JobContext& context_;
    std::vector<TargetSums*> sums_;
    std::vector<TargetSubspace*> results_;
    std::map<KvTarget, TargetSubspace> spectra_;
    std::atomic<size_t> next_ = 0;
    std::atomic<bool> failed_ = false;
    std::mutex mutex_;  // of what follows
    int64_t done_ = 0;
    std::exception_ptr error_;
};

}  // namespace

GramSums emptySums(const ModelConfig& config, const CalibrationSettings& settings) {
    const auto [heads, width] = widthsOf(config, settings);
    const Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(width, width);
    GramSums sums;
    for (const int64_t layer : settings.layers)
        for (const KvStream stream : {KvStream::k, KvStream::v})
            sums.targets[{layer, stream}].heads.assign(heads, {zero, zero});
    return sums;
}

int64_t gramBytes(const ModelConfig& config, const CalibrationSettings& settings) {
    const auto [heads, width] = widthsOf(config, settings);
    const double matrix =
        static_cast<double>(heads) * static_cast<double>(width) * static_cast<double>(width) * sizeof(double);
    // Two sums; then a Gram matrix and vectors in their place; a few more while one is decomposed.
    const auto targets = static_cast<double>(2 * settings.layers.size());
    return static_cast<int64_t>((2 * targets + 8) * matrix);
}

std::map<KvTarget, TargetSubspace> spectraOf(GramSums sums, int threads, const JobContext& context) {
    SpectraJob job(sums, context);
    {
        const auto count = std::clamp<size_t>(static_cast<size_t>(threads), 1, sums.targets.size());
        std::vector<std::jthread> helpers;  // joined at the end of the block
        for (size_t i = 1; i < count; ++i)
            helpers.emplace_back([&job] { job.work(); });
        job.work();
    }
    return job.take();
}

}  // namespace spd
