#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace spd {

/// One optimizer step, as job `train` tells it.
struct TrainingPoint {
    int64_t step = 0;  ///< from 1
    int64_t epoch = 0;
    double loss = 0;
    double lr = 0;
    double grad_norm = 0;
    double tokens_per_second = 0;
    std::optional<double> held_out_nll;  ///< after the last step of an epoch
};
/// @return nothing for a point of another shape
std::optional<TrainingPoint> trainingPoint(const nlohmann::ordered_json& json);

/// The points of a training in order of their steps. A step that comes again (after a resume) replaces the
/// earlier one and forgets those behind it, which were abandoned.
class TrainingCurves {
public:
    /// @return whether it continues the curves: false when earlier points went
    bool add(const TrainingPoint& point);
    void clear() { points_.clear(); }

    const std::vector<TrainingPoint>& points() const { return points_; }
    /// Exponential moving average of the loss with the bias of its start taken out, as TensorBoard has it.
    /// @param weight  in [0, 1): of what came before
    std::vector<double> smoothedLoss(double weight) const;

private:
    std::vector<TrainingPoint> points_;
};

}  // namespace spd
