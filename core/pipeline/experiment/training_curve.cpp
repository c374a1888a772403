#include "core/pipeline/experiment/training_curve.h"

#include <map>

#include "core/data/json_lines.h"

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
    std::map<int64_t, EpochSum> epochs;
    readJsonLines(log, [&](int64_t, const nlohmann::ordered_json& row) {
        const auto step = row.at("step").get<int64_t>();
        for (const char* key : {"loss", "lr", "grad_norm", "tokens_per_second", "held_out_loss"})
            if (row.contains(key) && row[key].is_number())
                curve.metrics.push_back({std::string("train/") + key, step, row[key].get<double>(), 0});
        EpochSum& epoch = epochs[row.at("epoch").get<int64_t>()];
        epoch.loss += row.at("loss").get<double>() * row.at("tokens").get<double>();
        epoch.tokens += row.at("tokens").get<double>();
    });
    if (!epochs.empty()) {
        curve.first_loss = epochs.begin()->second.mean();
        curve.last_loss = epochs.rbegin()->second.mean();
    }
    return curve;
}

}  // namespace spd
