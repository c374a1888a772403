#include "core/io/memory_forecast.h"

#include <limits>

#include "core/io/checkpoint.h"

namespace spd {
namespace {

constexpr int64_t float32_bytes = 4;
constexpr int64_t float64_bytes = 8;

int64_t roundUp16(int64_t n) {
    return (n + 15) / 16 * 16;
}

/// Sizes of a hostile config may multiply beyond 64 bits; double is exact up to 8 PiB.
template <class... Factors>
int64_t product(Factors... factors) {
    const double exact = (1.0 * ... * static_cast<double>(factors));
    constexpr auto most = std::numeric_limits<int64_t>::max() / 16;  // sums of some stay in range
    return exact < static_cast<double>(most) ? static_cast<int64_t>(exact) : most;
}

int64_t activationBytes(const ModelConfig& config, int64_t tokens) {
    const int64_t query_width = config.num_attention_heads * config.head_dim;
    const int64_t per_layer = 6 * config.hidden_size + 3 * query_width + 4 * config.kvWidth() +
                              4 * config.intermediate_size + config.num_attention_heads * tokens;
    return product(tokens, float32_bytes, config.num_hidden_layers * per_layer + 2 * config.vocab_size);
}

/// Value, gradient and two moments of A [r, in] and B [out, r] of q, k, v and o.
int64_t loraBytes(const ModelConfig& config, int64_t rank) {
    const int64_t query_width = config.num_attention_heads * config.head_dim;
    const int64_t widths =
        2 * (config.hidden_size + query_width) + 2 * (config.hidden_size + config.kvWidth());
    return 4 * float32_bytes * config.num_hidden_layers * rank * widths;
}

}  // namespace

int64_t parameterCount(const ModelConfig& config) {
    int64_t parameters = 0;
    for (const ExpectedTensor& tensor : expectedTensors(config)) {
        int64_t elements = 1;
        for (const int64_t dimension : tensor.shape)
            elements *= dimension;
        parameters += elements;
    }
    return parameters;
}

MemoryForecast forecastMemory(const ModelConfig& config, const ForecastSettings& settings) {
    const int64_t parameters = parameterCount(config);
    MemoryForecast forecast;
    forecast.weights = parameters * bytesPerElement(settings.dtype);
    forecast.kv_cache_per_slot =
        product(config.num_hidden_layers, config.num_key_value_heads, roundUp16(settings.context),
                config.head_dim + roundUp16(config.head_dim), bytesPerElement(settings.dtype));
    forecast.generate = forecast.weights + product(settings.slots, forecast.kv_cache_per_slot +
                                                                       config.vocab_size * float32_bytes);
    const int64_t gram = config.kvWidth() * config.kvWidth() * float64_bytes;
    forecast.calibrate = parameters * float32_bytes + activationBytes(config, settings.example_tokens) +
                         2 * config.num_hidden_layers * gram;
    forecast.train = forecast.weights + loraBytes(config, settings.lora_rank) +
                     activationBytes(config, settings.sequence_tokens);
    return forecast;
}

}  // namespace spd
