#include "views/training/training_curves.h"

#include <algorithm>
#include <cmath>

namespace spd {

using nlohmann::ordered_json;

std::optional<TrainingPoint> trainingPoint(const ordered_json& json) {
    const auto number = [&](const char* key) -> std::optional<double> {
        if (!json.is_object() || !json.contains(key) || !json[key].is_number())
            return std::nullopt;
        return json[key].get<double>();
    };
    if (!number("step") || !number("loss"))
        return std::nullopt;
    return TrainingPoint{.step = static_cast<int64_t>(*number("step")),
                         .epoch = static_cast<int64_t>(number("epoch").value_or(0)),
                         .loss = *number("loss"),
                         .lr = number("lr").value_or(0),
                         .grad_norm = number("grad_norm").value_or(0),
                         .tokens_per_second = number("tokens_per_second").value_or(0),
                         .held_out_nll = number("held_out_nll")};
}

bool TrainingCurves::add(const TrainingPoint& point) {
    const bool continues = points_.empty() || points_.back().step < point.step;
    while (!points_.empty() && points_.back().step >= point.step)
        points_.pop_back();
    points_.push_back(point);
    return continues;
}

std::vector<double> TrainingCurves::smoothedLoss(double weight) const {
    std::vector<double> smoothed;
    smoothed.reserve(points_.size());
    double sum = 0;
    double bias = 1;
    for (const TrainingPoint& point : points_) {
        if (std::isfinite(point.loss)) {
            sum = weight * sum + (1 - weight) * point.loss;
            bias *= weight;
        }
        smoothed.push_back(bias < 1 ? sum / (1 - bias) : point.loss);
    }
    return smoothed;
}

}  // namespace spd
