#include "core/train/adamw.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/base/error.h"

namespace spd {
namespace {

/// A parameter and its moments.
struct Element {
    float first = 0;
    float second = 0;
    float parameter = 0;
};

bool isFinite(const Element& element) {
    return std::isfinite(element.first) && std::isfinite(element.second) && std::isfinite(element.parameter);
}

}  // namespace

AdamW::AdamW(const AdamWSettings& settings, size_t parameters)
    : AdamW(settings, 0, std::vector<float>(parameters), std::vector<float>(parameters)) {}

AdamW::AdamW(const AdamWSettings& settings, int64_t steps, std::vector<float> first,
             std::vector<float> second)
    : settings_(settings), steps_(steps), first_(std::move(first)), second_(std::move(second)) {}

bool AdamW::step(std::span<float> parameters, std::span<const float> gradients, double rate) {
    if (parameters.size() != first_.size() || gradients.size() != first_.size())
        throw Error(ErrorKind::internal, "AdamW: as many parameters and gradients as moments are wanted");
    const auto steps = static_cast<double>(steps_ + 1);
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
    const auto after = [&](size_t i) {
        Element element = {first_[i], second_[i], parameters[i]};
        element.first += towards * (gradients[i] - element.first);
        element.second = element.second * beta2 + rest2 * gradients[i] * gradients[i];
        const float denominator = std::sqrt(element.second) / root_correction2 + epsilon;
        element.parameter = element.parameter * decay + step_size * element.first / denominator;
        return element;
    };
    // Looked at before anything is written: computing it twice costs less than a copy to go back to.
    for (size_t i = 0; i < parameters.size(); ++i)
        if (!isFinite(after(i)))
            return false;
    for (size_t i = 0; i < parameters.size(); ++i) {
        const Element element = after(i);
        first_[i] = element.first;
        second_[i] = element.second;
        parameters[i] = element.parameter;
    }
    ++steps_;
    return true;
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
