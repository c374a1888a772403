#include "core/train/adamw.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/base/error.h"

namespace spd {

AdamW::AdamW(const AdamWSettings& settings, size_t parameters)
    : AdamW(settings, 0, std::vector<float>(parameters), std::vector<float>(parameters)) {}

AdamW::AdamW(const AdamWSettings& settings, int64_t steps, std::vector<float> first,
             std::vector<float> second)
    : settings_(settings), steps_(steps), first_(std::move(first)), second_(std::move(second)) {}

void AdamW::step(std::span<float> parameters, std::span<const float> gradients, double rate) {
    if (parameters.size() != first_.size() || gradients.size() != first_.size())
        throw Error(ErrorKind::internal, "AdamW: as many parameters and gradients as moments are wanted");
    ++steps_;
    const auto steps = static_cast<double>(steps_);
    const double correction1 = 1 - std::pow(settings_.beta1, steps);
    const double correction2 = std::sqrt(1 - std::pow(settings_.beta2, steps));
    // torch computes these in float64 and rounds them once, where they meet a float32.
    const auto decay = static_cast<float>(1 - rate * settings_.weight_decay);
    const auto towards = static_cast<float>(1 - settings_.beta1);
    const auto beta2 = static_cast<float>(settings_.beta2);
    const auto rest2 = static_cast<float>(1 - settings_.beta2);
    const auto root_correction2 = static_cast<float>(correction2);
    const auto epsilon = static_cast<float>(settings_.epsilon);
    const auto step_size = static_cast<float>(-rate / correction1);
    for (size_t i = 0; i < parameters.size(); ++i) {
        const float gradient = gradients[i];
        first_[i] += towards * (gradient - first_[i]);
        second_[i] = second_[i] * beta2 + rest2 * gradient * gradient;
        const float denominator = std::sqrt(second_[i]) / root_correction2 + epsilon;
        parameters[i] = parameters[i] * decay + step_size * first_[i] / denominator;
    }
}

double clipGradients(std::span<float> gradients, double largest) {
    double squares = 0;
    for (const float gradient : gradients)
        squares += static_cast<double>(gradient) * static_cast<double>(gradient);
    const double norm = std::sqrt(squares);
    const double scale = largest / (norm + 1e-6);
    if (scale < 1)
        for (float& gradient : gradients)
            gradient *= static_cast<float>(scale);
    return norm;
}

double cosineRate(double peak, int64_t step, int64_t steps) {
    const double progress = static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, steps));
    return peak * std::max(0.0, 0.5 * (1 + std::cos(std::numbers::pi * progress)));
}

}  // namespace spd
