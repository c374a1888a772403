#include "core/pipeline/experiment/training_curve.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "core/base/error.h"
#include "core/store/run_lines.h"

namespace spd {
namespace {

struct EpochSum {
    double loss = 0;
    double tokens = 0;
    double mean() const { return tokens > 0 ? loss / tokens : 0; }
};

}  // namespace

TrainingCurve readTrainingCurve(const std::filesystem::path& log) {
    TrainingCurve curve;
    curve.metrics = store::readTrainingLog(log);
    std::map<int64_t, std::map<std::string, double>> steps;
    for (const Metric& metric : curve.metrics)
        steps[metric.step][metric.key] = metric.value;
    std::map<double, EpochSum> epochs;
    for (const auto& [step, values] : steps) {
        for (const char* key : {"train/epoch", "train/loss", "train/tokens"})
            if (!values.contains(key))
                throw Error::fileFormat(log.native(), "", fmt::format("step {} has no {}", step, key + 6));
        EpochSum& epoch = epochs[values.at("train/epoch")];
        epoch.loss += values.at("train/loss") * values.at("train/tokens");
        epoch.tokens += values.at("train/tokens");
    }
    if (epochs.empty())
        throw Error::fileFormat(log.native(), "", "no step has a number");
    curve.first_loss = epochs.begin()->second.mean();
    curve.last_loss = epochs.rbegin()->second.mean();
    return curve;
}

}  // namespace spd
