#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/io/adapter.h"
#include "core/io/model_config.h"

namespace spd {

/// Where the two matrices of a module lie in the flat array.
struct LoraPlace {
    int64_t layer = 0;
    AttentionLinear linear = AttentionLinear::q;
    int64_t r = 0;
    int64_t in = 0;
    int64_t out = 0;
    double scale = 0;  ///< alpha / r
    size_t a = 0;      ///< first element of A [r, in], row-major
    size_t b = 0;      ///< first element of B [out, r], row-major

    /// Distinct for each linear of the model, whatever modules are trained.
    uint32_t number() const { return static_cast<uint32_t>(4 * layer) + static_cast<uint32_t>(linear); }
};

/// The trained parameters: every A and B in one flat array of float32, modules by layer and linear, A before
/// B. A value.
class LoraParameters {
public:
    /// LoRA on q, k, v and o of every layer as peft starts it: A kaiming-uniform with a = sqrt 5, which is
    /// uniform in +-1 / sqrt(in), from noise keyed by (seed, module, element); B zero.
    static LoraParameters initial(const ModelConfig& config, int64_t r, double alpha, uint64_t seed);
    /// The values of an adapter that fits `config`.
    static LoraParameters of(const LoraAdapter& adapter, const ModelConfig& config);

    std::span<const LoraPlace> places() const { return places_; }
    std::span<float> values() { return values_; }
    std::span<const float> values() const { return values_; }

    /// `values` (of this size) as an adapter: r, lora_alpha and the like from `like`, its modules replaced.
    LoraAdapter adapter(std::span<const float> values, LoraAdapter like) const;

private:
    void place(const ModelConfig& config, int64_t layer, AttentionLinear linear, int64_t r, double scale);

    std::vector<LoraPlace> places_;
    std::vector<float> values_;
};

}  // namespace spd
