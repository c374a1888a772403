#include "core/model/causal_lm.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <fmt/format.h>

#include <cmath>

#include "core/model/rope.h"
#include "core/model/seams_torch.h"
#include "core/model/torch_errors_torch.h"
#include "core/model/weights_torch.h"

namespace spd {
namespace {

/// cos and sin of every position's angles, [T, head_dim], in the dtype that Q and K have.
struct Rotation {
    at::Tensor cos;
    at::Tensor sin;
};

at::Tensor apply(const Linear& linear, const at::Tensor& x) {
    return at::linear(x, linear.weight, linear.bias);
}

/// x / sqrt(mean(x^2) + eps) in float32 over the last dimension, rounded to the type of x, times weight.
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
    const at::Tensor exact = x.to(at::kFloat);
    const at::Tensor variance = exact.pow(2).mean(-1, /*keepdim=*/true);
    return weight * (exact * at::rsqrt(variance + eps)).to(x.scalar_type());
}

/// x [B, heads, T, D]: element i turns with element i + D/2.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation) {
    const int64_t half = x.size(-1) / 2;
    const at::Tensor turned = at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
    return x * rotation.cos + turned * rotation.sin;
}

Rotation rotationOf(const ModelConfig& config, int64_t positions, at::ScalarType dtype) {
    std::vector<float> frequencies = ropeInverseFrequencies(config);
    const at::Tensor per_pair =
        at::from_blob(frequencies.data(), {static_cast<int64_t>(frequencies.size())}, at::kFloat);
    const at::Tensor angles = at::outer(at::arange(positions, at::kFloat), per_pair);
    const at::Tensor both_halves = at::cat({angles, angles}, -1);
    return {both_halves.cos().to(dtype), both_halves.sin().to(dtype)};
}

/// [B, T, heads x D] -> [B, heads, T, D]
at::Tensor splitHeads(const at::Tensor& x, int64_t heads) {
    return x.unflatten(-1, {heads, -1}).transpose(1, 2);
}

/// [B, Hkv, T, D] -> [B, H, T, D]: each KV head serves H / Hkv query heads that stand side by side.
at::Tensor repeatHeads(const at::Tensor& x, int64_t repeats) {
    if (repeats == 1)
        return x;
    return x.unsqueeze(2).expand({-1, -1, repeats, -1, -1}).flatten(1, 2);
}

/// [B, heads, T, D] -> [B, T, heads x D]
at::Tensor joinHeads(const at::Tensor& x) {
    return x.transpose(1, 2).flatten(2);
}

/// The attention of one layer and who looks into it.
struct AttentionBlock {
    const ModelConfig& config;
    const DecoderLayer& weights;
    const Rotation& rotation;
    const ForwardSeams& seams;
    int64_t layer;

    at::Tensor linear(AttentionLinear which, const Linear& weight, const at::Tensor& x) const {
        const at::Tensor y = apply(weight, x);
        return seams.linear ? seams.linear(layer, which, x, y) : y;
    }

    /// K of every head at a site past k_proj, x [B, Hkv, T, D].
    at::Tensor keysAt(KvSite site, const at::Tensor& x) const {
        if (!seams.kv)
            return x;
        return splitHeads(seams.kv(layer, KvStream::k, site, joinHeads(x)), config.num_key_value_heads);
    }

    /// Outputs of k_proj and v_proj after bias, [B, T, Hkv x D], before k_norm and RoPE.
    at::Tensor projected(KvStream stream, const at::Tensor& x) const {
        const at::Tensor y = stream == KvStream::k ? linear(AttentionLinear::k, weights.k_proj, x)
                                                   : linear(AttentionLinear::v, weights.v_proj, x);
        return seams.kv ? seams.kv(layer, stream, KvSite::proj, y) : y;
    }

    /// x [B, T, hidden_size] -> [B, T, hidden_size].
    at::Tensor operator()(const at::Tensor& x) const {
        at::Tensor q = splitHeads(linear(AttentionLinear::q, weights.q_proj, x), config.num_attention_heads);
        at::Tensor k = splitHeads(projected(KvStream::k, x), config.num_key_value_heads);
        const at::Tensor v = splitHeads(projected(KvStream::v, x), config.num_key_value_heads);
        if (config.qk_norm) {
            q = rmsNorm(q, weights.q_norm, config.rms_norm_eps);
            k = keysAt(KvSite::post_norm, rmsNorm(k, weights.k_norm, config.rms_norm_eps));
        }
        q = rotate(q, rotation);
        k = keysAt(KvSite::post_rope, rotate(k, rotation));

        const int64_t repeats = config.num_attention_heads / config.num_key_value_heads;
        const at::Tensor attended = at::scaled_dot_product_attention(
            q, repeatHeads(k, repeats), repeatHeads(v, repeats), /*attn_mask=*/{}, /*dropout_p=*/0.0,
            /*is_causal=*/true, /*scale=*/1.0 / std::sqrt(static_cast<double>(config.head_dim)));
        return linear(AttentionLinear::o, weights.o_proj, joinHeads(attended));
    }
};

at::Tensor mlp(const DecoderLayer& layer, const at::Tensor& x) {
    return apply(layer.down_proj, at::silu(apply(layer.gate_proj, x)) * apply(layer.up_proj, x));
}

at::Tensor decoderLayer(const AttentionBlock& attention, const at::Tensor& x) {
    const DecoderLayer& layer = attention.weights;
    const double eps = attention.config.rms_norm_eps;
    const at::Tensor h = x + attention(rmsNorm(x, layer.input_layernorm, eps));
    return h + mlp(layer, rmsNorm(h, layer.post_attention_layernorm, eps));
}

void check(const TokenBatch& batch, const ModelConfig& config) {
    const auto refuse = [](const std::string& rule) { throw Error(ErrorKind::invalid_argument, rule); };
    if (batch.rows < 1 || batch.columns < 1)
        refuse("there are no token ids");
    if (batch.columns > config.max_position_embeddings)
        refuse(fmt::format("{} tokens, the model has {} positions", batch.columns,
                           config.max_position_embeddings));
    if (static_cast<int64_t>(batch.ids.size()) != batch.rows * batch.columns)
        refuse(fmt::format("{} token ids do not fill {} x {}", batch.ids.size(), batch.rows, batch.columns));
    for (const int32_t id : batch.ids)
        if (id < 0 || id >= config.vocab_size)
            refuse(fmt::format("token id {} is outside the vocabulary of {}", id, config.vocab_size));
}

}  // namespace

struct CausalLm::Impl {
    ModelConfig config;
    DType dtype;
    ModelWeights weights;
};

CausalLm::CausalLm(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CausalLm::CausalLm(CausalLm&&) noexcept = default;
CausalLm& CausalLm::operator=(CausalLm&&) noexcept = default;
CausalLm::~CausalLm() = default;

CausalLm CausalLm::load(const Checkpoint& checkpoint, DType dtype, const JobContext& context) {
    return CausalLm(std::make_unique<Impl>(
        Impl{checkpoint.config(), dtype, loadModelWeights(checkpoint, dtype, context)}));
}

const ModelConfig& CausalLm::config() const {
    return impl_->config;
}
DType CausalLm::dtype() const {
    return impl_->dtype;
}
ModelWeights& CausalLm::weights() {
    return impl_->weights;
}
const ModelWeights& CausalLm::weights() const {
    return impl_->weights;
}

at::Tensor CausalLm::hiddenStates(const TokenBatch& batch, const JobContext& context) const {
    return hiddenStates(batch, ForwardSeams(), context);
}

at::Tensor CausalLm::hiddenStates(const TokenBatch& batch, const ForwardSeams& seams,
                                  const JobContext& context) const {
    check(batch, impl_->config);
    return translateTorchErrors([&] {
        const ModelConfig& config = impl_->config;
        const ModelWeights& weights = impl_->weights;
        // A copy: the embedding's gradient looks at the ids again, when the batch may be gone.
        const at::Tensor ids =
            at::from_blob(const_cast<int32_t*>(batch.ids.data()), {batch.rows, batch.columns}, at::kInt)
                .to(at::kLong);
        const Rotation rotation = rotationOf(config, batch.columns, scalarType(impl_->dtype));
        at::Tensor h = at::embedding(weights.embed_tokens, ids);
        for (size_t i = 0; i < weights.layers.size(); ++i) {
            context.checkStop();
            h = decoderLayer({config, weights.layers[i], rotation, seams, static_cast<int64_t>(i)}, h);
        }
        return rmsNorm(h, weights.norm, config.rms_norm_eps);
    });
}

at::Tensor CausalLm::logits(const at::Tensor& hidden_states) const {
    return translateTorchErrors([&] { return at::linear(hidden_states, impl_->weights.lm_head); });
}

std::vector<float> CausalLm::logits(const TokenBatch& batch, const JobContext& context) const {
    const at::NoGradGuard no_gradients;
    const at::Tensor hidden_states = hiddenStates(batch, context);
    return translateTorchErrors([&] {
        const at::Tensor all = logits(hidden_states).to(at::kFloat).contiguous();
        const auto* values = all.const_data_ptr<float>();
        return std::vector<float>(values, values + all.numel());
    });
}

void setTorchThreads(int threads) {
    at::set_num_threads(threads);
}

}  // namespace spd
