#include "core/train/lora_parameters.h"

#include <algorithm>
#include <cmath>

#include "core/base/philox.h"
#include "core/train/training_noise.h"

namespace spd {
namespace {

/// Uniform in +-1 / sqrt(in).
void drawA(const LoraPlace& place, uint64_t key, std::span<float> a) {
    const double bound = 1 / std::sqrt(static_cast<double>(place.in));
    for (size_t i = 0; i < a.size(); ++i) {
        const PhiloxBlock block = philox(key, {place.number(), 0, 0, static_cast<uint32_t>(i / 4)});
        a[i] = static_cast<float>((2 * (block[i % 4] + 0.5) * 0x1p-32 - 1) * bound);
    }
}

}  // namespace

void LoraParameters::place(const ModelConfig& config, int64_t layer, AttentionLinear linear, int64_t r,
                           double scale) {
    LoraPlace place = {layer, linear, r, inWidth(config, linear), outWidth(config, linear), scale, 0, 0};
    place.a = values_.size();
    place.b = place.a + static_cast<size_t>(r * place.in);
    values_.resize(place.b + static_cast<size_t>(r * place.out));
    places_.push_back(place);
}

LoraParameters LoraParameters::initial(const ModelConfig& config, int64_t r, double alpha, uint64_t seed) {
    LoraParameters parameters;
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
        for (const AttentionLinear linear : kAttentionLinears)
            parameters.place(config, layer, linear, r, alpha / static_cast<double>(r));
    const uint64_t key = trainingKey(seed, TrainingStream::initial_weights, 0);
    for (const LoraPlace& place : parameters.places_)
        drawA(place, key, parameters.values().subspan(place.a, place.b - place.a));
    return parameters;
}

LoraParameters LoraParameters::of(const LoraAdapter& adapter, const ModelConfig& config) {
    LoraParameters parameters;
    for (const LoraModule& module : adapter.modules) {
        parameters.place(config, module.layer, module.linear, module.r, module.scale);
        const LoraPlace& place = parameters.places_.back();
        std::copy(module.a.begin(), module.a.end(), parameters.values().subspan(place.a).begin());
        std::copy(module.b.begin(), module.b.end(), parameters.values().subspan(place.b).begin());
    }
    return parameters;
}

LoraAdapter LoraParameters::adapter(std::span<const float> values, LoraAdapter like) const {
    like.modules.clear();
    for (const LoraPlace& place : places_) {
        const std::span<const float> a = values.subspan(place.a, place.b - place.a);
        const std::span<const float> b = values.subspan(place.b, static_cast<size_t>(place.out * place.r));
        like.modules.push_back(
            {place.layer, place.linear, place.r, place.scale, {a.begin(), a.end()}, {b.begin(), b.end()}});
    }
    return like;
}

}  // namespace spd
