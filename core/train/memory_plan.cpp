#include "core/train/memory_plan.h"

#include <algorithm>

#include "core/io/memory_forecast.h"
#include "core/train/chunked_loss_torch.h"

namespace spd {
namespace {

/// What the backward pass of one layer looks at again, a token: the residual stream before and between its
/// halves, the normed input that LoRA reads, q, k and v as attention takes them, its output, and gate, silu
/// and up of the MLP: 3 hidden + 5 query + 3 intermediate. About as much is freed in between and not used
/// again: glibc finds no room for an aligned block in a hole of the same size (measured: 16.6 thousand
/// elements a token and layer of SmolLM2-135M in float32). In 16 bit the norms keep float32 copies.
int64_t keptBytes(const ModelConfig& config, DType dtype) {
    const int64_t width = bytesPerElement(dtype);
    const int64_t query = config.num_attention_heads * config.head_dim;
    const int64_t normed = 2 * config.hidden_size + (config.qk_norm ? query + config.kvWidth() : 0);
    const int64_t elements = 5 * config.hidden_size + 8 * query + 6 * config.intermediate_size;
    return width * elements + (width < 4 || config.qk_norm ? 4 * normed : 0) + 4 * config.num_attention_heads;
}

}  // namespace

TrainingMemory trainingMemory(const ModelConfig& config, DType dtype, int64_t longest,
                              int64_t lora_parameters) {
    const int64_t width = bytesPerElement(dtype);
    const int64_t layer = longest * keptBytes(config, dtype);
    const int64_t temporaries = 2 * longest * 4 * (config.hidden_size + 2 * config.intermediate_size);
    TrainingMemory memory;
    memory.weights = parameterCount(config) * width;
    memory.parameters = 5 * 4 * lora_parameters;
    memory.kept = config.num_hidden_layers * layer + temporaries;
    memory.recomputed = config.num_hidden_layers * longest * width * config.hidden_size + layer + temporaries;
    const int64_t rows = std::min(longest, chunkRows(config.vocab_size));
    memory.head = rows * config.vocab_size * (2 * 4 + (width < 4 ? 2 * width : 0));
    constexpr int64_t kCode = 96 << 20;
    const int64_t widest = config.hidden_size * std::max(config.vocab_size, config.intermediate_size);
    memory.library = kCode + widest * width;
    return memory;
}

bool keepActivations(Recompute recompute, const TrainingMemory& memory, int64_t available) {
    if (recompute != Recompute::automatic)
        return recompute == Recompute::off;
    return memory.total(true) <= available / 5 * 4;
}

}  // namespace spd
