#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace spd {

struct AdamWSettings {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0.01;  ///< decoupled: parameters shrink by the factor 1 - rate x weight_decay
};

/// AdamW (Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019) over one flat array of
/// float32, in the order of operations of torch.optim.AdamW. A value; not thread-safe.
class AdamW {
public:
    AdamW(const AdamWSettings& settings, size_t parameters);
    /// As it was after `steps` steps. @param first, second  the moments, equally long.
    AdamW(const AdamWSettings& settings, int64_t steps, std::vector<float> first, std::vector<float> second);

    /// One step at the learning rate `rate`. @param parameters, gradients  as long as the moments.
    /// @return false where a parameter or a moment would not be finite: then nothing has changed
    [[nodiscard]] bool step(std::span<float> parameters, std::span<const float> gradients, double rate);

    int64_t steps() const { return steps_; }
    const std::vector<float>& firstMoments() const { return first_; }
    const std::vector<float>& secondMoments() const { return second_; }

private:
    AdamWSettings settings_;
    int64_t steps_ = 0;
    std::vector<float> first_;
    std::vector<float> second_;
};

/// Scales gradients whose norm (over all of them, in float64) is above `largest` down to it, as
/// torch.nn.utils.clip_grad_norm_ does. @return the norm before that
double clipGradients(std::span<float> gradients, double largest);

/// Cosine from `peak` to 0 without warm-up: the rate of step `step` (from 0) of `steps`, as transformers'
/// get_cosine_schedule_with_warmup.
double cosineRate(double peak, int64_t step, int64_t steps);

}  // namespace spd
