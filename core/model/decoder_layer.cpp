#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>

#include <cmath>

#include "core/model/decoder_layer_torch.h"
#include "core/model/rope.h"

namespace spd {
namespace {

at::Tensor apply(const Linear& linear, const at::Tensor& x) {
    return at::linear(x, linear.weight, linear.bias);
}

/// x [B, heads, T, D]: element i turns with element i + D/2.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation) {
    const int64_t half = x.size(-1) / 2;
    const at::Tensor turned = at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
    return x * rotation.cos + turned * rotation.sin;
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

}  // namespace

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
    const at::Tensor exact = x.to(at::kFloat);
    const at::Tensor variance = exact.pow(2).mean(-1, /*keepdim=*/true);
    return weight * (exact * at::rsqrt(variance + eps)).to(x.scalar_type());
}

Rotation rotationOf(const ModelConfig& config, int64_t positions, at::ScalarType dtype) {
    std::vector<float> frequencies = ropeInverseFrequencies(config);
    const at::Tensor per_pair =
        at::from_blob(frequencies.data(), {static_cast<int64_t>(frequencies.size())}, at::kFloat);
    const at::Tensor angles = at::outer(at::arange(positions, at::kFloat), per_pair);
    const at::Tensor both_halves = at::cat({angles, angles}, -1);
    return {both_halves.cos().to(dtype), both_halves.sin().to(dtype)};
}

at::Tensor decoderLayer(const ModelConfig& config, const DecoderLayer& weights, const Rotation& rotation,
                        const ForwardSeams& seams, int64_t layer, const at::Tensor& x) {
    const AttentionBlock attention = {config, weights, rotation, seams, layer};
    const at::Tensor h = x + attention(rmsNorm(x, weights.input_layernorm, config.rms_norm_eps));
    return h + mlp(weights, rmsNorm(h, weights.post_attention_layernorm, config.rms_norm_eps));
}

}  // namespace spd
