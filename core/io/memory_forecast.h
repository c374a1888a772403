#pragma once

#include <cstdint>

#include "core/base/dtype.h"
#include "core/io/model_config.h"

namespace spd {

/// What the stages are asked to do, as far as their memory depends on it.
struct ForecastSettings {
    DType dtype = DType::bfloat16;   ///< generate and train; calibrate computes in float32
    int64_t context = 2048;          ///< positions of one slot of the KV cache
    int64_t slots = 8;               ///< sequences that generate decodes together
    int64_t example_tokens = 512;    ///< longest calibration example
    int64_t sequence_tokens = 1024;  ///< longest training sequence
    int64_t lora_rank = 8;
};

/// Bytes that the stages need, from config.json alone. weights and kv_cache_per_slot are exact up to padding;
/// activations are an upper estimate of what autograd keeps.
struct MemoryForecast {
    int64_t weights = 0;            ///< parameters x bytes of dtype; a tied head once
    int64_t kv_cache_per_slot = 0;  ///< as core/model/kv_cache.h lays it out
    int64_t generate = 0;           ///< weights + slots x (cache + a row of logits in float32)
    /// float32 weights + activations of one example + Gram matrices [d, d] in float64 for K and V of each
    /// layer
    int64_t calibrate = 0;
    /// weights + LoRA of rank r on q, k, v, o (value, gradient and two AdamW moments, float32) + activations
    /// of one sequence
    int64_t train = 0;
};

/// Parameters of a model of this config; a tied head once.
int64_t parameterCount(const ModelConfig& config);

/// Activations of one sequence of T tokens: T x (L x per layer + 2 V in float32), where a layer keeps the
/// inputs of its norms and linears, q, k, v before and after RoPE and the attention weights: 6 hidden + 3 H D
/// + 4 d + 4 intermediate + H T elements, in float32 (LibTorch's norms and softmax are float32).
MemoryForecast forecastMemory(const ModelConfig& config, const ForecastSettings& settings);

}  // namespace spd
