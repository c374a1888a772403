#include <fmt/format.h>

#include "core/io/checkpoint.h"

namespace spd {
namespace {

class TensorList {
public:
    void add(const std::string& name, std::vector<int64_t> shape) {
        tensors_.push_back({name, std::move(shape)});
    }

    /// A linear layer's weight [out, in] and, where it has one, its bias [out].
    void addLinear(const std::string& name, int64_t out, int64_t in, bool bias) {
        add(name + ".weight", {out, in});
        if (bias)
            add(name + ".bias", {out});
    }

    std::vector<ExpectedTensor> take() { return std::move(tensors_); }

private:
    std::vector<ExpectedTensor> tensors_;
};

void addLayer(TensorList& list, const ModelConfig& config, int64_t layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    const int64_t hidden = config.hidden_size;
    const int64_t query_width = config.num_attention_heads * config.head_dim;
    list.add(prefix + "input_layernorm.weight", {hidden});
    list.addLinear(prefix + "self_attn.q_proj", query_width, hidden, config.qkv_bias);
    list.addLinear(prefix + "self_attn.k_proj", config.kvWidth(), hidden, config.qkv_bias);
    list.addLinear(prefix + "self_attn.v_proj", config.kvWidth(), hidden, config.qkv_bias);
    if (config.qk_norm) {
        list.add(prefix + "self_attn.q_norm.weight", {config.head_dim});
        list.add(prefix + "self_attn.k_norm.weight", {config.head_dim});
    }
    list.addLinear(prefix + "self_attn.o_proj", hidden, query_width, config.o_bias);
    list.add(prefix + "post_attention_layernorm.weight", {hidden});
    list.addLinear(prefix + "mlp.gate_proj", config.intermediate_size, hidden, config.mlp_bias);
    list.addLinear(prefix + "mlp.up_proj", config.intermediate_size, hidden, config.mlp_bias);
    list.addLinear(prefix + "mlp.down_proj", hidden, config.intermediate_size, config.mlp_bias);
}

}  // namespace

std::vector<ExpectedTensor> expectedTensors(const ModelConfig& config) {
    TensorList list;
    list.add("model.embed_tokens.weight", {config.vocab_size, config.hidden_size});
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
        addLayer(list, config, layer);
    list.add("model.norm.weight", {config.hidden_size});
    if (!config.tie_word_embeddings)
        list.add("lm_head.weight", {config.vocab_size, config.hidden_size});
    return list.take();
}

}  // namespace spd
