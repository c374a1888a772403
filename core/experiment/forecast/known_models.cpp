#include "core/experiment/forecast/known_models.h"

#include <string_view>

namespace spd {
namespace {

struct KnownModel {
    std::string_view id;
    ModelFamily family;
    int64_t hidden, intermediate, layers, heads, kv_heads, head_dim, vocabulary, positions;
    bool tied;
};

constexpr KnownModel kKnownModels[] = {
    {"Qwen/Qwen2.5-0.5B-Instruct", ModelFamily::qwen2, 896, 4864, 24, 14, 2, 64, 151936, 32768, true},
    {"Qwen/Qwen2.5-7B-Instruct", ModelFamily::qwen2, 3584, 18944, 28, 28, 4, 128, 152064, 32768, false},
    {"Qwen/Qwen2.5-14B-Instruct", ModelFamily::qwen2, 5120, 13824, 48, 40, 8, 128, 152064, 32768, false},
    {"Qwen/Qwen3-4B-Instruct-2507", ModelFamily::qwen3, 2560, 9728, 36, 32, 8, 128, 151936, 262144, true},
    {"meta-llama/Llama-3.1-8B-Instruct", ModelFamily::llama, 4096, 14336, 32, 32, 8, 128, 128256, 131072,
     false},
};

}  // namespace

std::optional<ModelConfig> knownShape(const std::string& id) {
    for (const KnownModel& known : kKnownModels) {
        if (known.id != id)
            continue;
        ModelConfig config;
        config.family = known.family;
        config.hidden_size = known.hidden;
        config.intermediate_size = known.intermediate;
        config.num_hidden_layers = known.layers;
        config.num_attention_heads = known.heads;
        config.num_key_value_heads = known.kv_heads;
        config.head_dim = known.head_dim;
        config.vocab_size = known.vocabulary;
        config.max_position_embeddings = known.positions;
        config.tie_word_embeddings = known.tied;
        config.qkv_bias = known.family == ModelFamily::qwen2;
        config.qk_norm = known.family == ModelFamily::qwen3;
        config.dtype = DType::bfloat16;
        return config;
    }
    return std::nullopt;
}

}  // namespace spd
