// The attention block of PackedLm: q, k, v and o with what an intervention changes in them, RoPE, the cache.

#include <cmath>

#include "core/model/packed_lm_impl.h"

namespace spd {

void PackedLm::Impl::attentionBlock(int64_t layer, KvCache& cache) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    addNormInput(/*add=*/layer > 0, w.input_norm);
    projectQkv(layer);
    pool->run(rowCount(), [&](int thread, int64_t i) { rotateAndCache(thread, i, layer, cache); });
    attend(layer, cache);
    projectOutput(layer);
}

/// Q, K and V of every row. Where a group has folded K and V, all rows share the weights of q, and each group
/// goes on with its own k and v.
void PackedLm::Impl::projectQkv(int64_t layer) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    const auto folded = [layer](const RowGroup& group) {
        const LayerVariant* variant = group.layer(layer);
        return variant != nullptr && variant->kv ? variant : nullptr;
    };
    const int64_t shared = std::any_of(groups.begin(), groups.end(), folded)
                               ? firstReplacedRow(config) / kLanes
                               : w.qkv.blocks();
    w.qkv.multiply(*pool, *kernels,
                   {.x = hidden_input.data(),
                    .x_stride = hidden_input.stride(),
                    .rows = rowCount(),
                    .bias = w.qkvBias(),
                    .last_block = shared,
                    .y = qkv.data(),
                    .y_stride = qkvStride()});
    for (const RowGroup& group : groups) {
        float* y = qkv.data() + group.first * qkvStride();
        LinearArgs rest = {.x = hidden_input.data(group.first),
                           .x_stride = hidden_input.stride(),
                           .rows = group.count,
                           .bias = w.qkvBias(),
                           .first_block = shared,
                           .last_block = w.qkv.blocks(),
                           .y = y,
                           .y_stride = qkvStride()};
        if (const LayerVariant* variant = folded(group)) {
            const float* bias = variant->qkvBias();
            rest.bias = bias == nullptr ? nullptr : bias + shared * kLanes;
            rest.first_block = 0;
            rest.last_block = variant->kv->blocks();
            rest.y = y + shared * kLanes;
            variant->kv->multiply(*pool, *kernels, rest);
        } else if (shared < w.qkv.blocks()) {
            w.qkv.multiply(*pool, *kernels, rest);
        }
        if (const LayerVariant* variant = group.layer(layer); variant != nullptr && variant->qkv_lora)
            variant->qkv_lora->add(*pool, *kernels,
                                   hidden_input.floats(*pool, group.first, group.count, lora_input),
                                   hidden_input.stride(), group.count, y, qkvStride(), lora_scratch);
    }
}

void PackedLm::Impl::projectOutput(int64_t layer) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    const int64_t stride = roundUpToLanes(config.hidden_size);
    w.o.multiply(*pool, *kernels, attended_input.data(), rowCount(), w.oBias(), projected.data(), stride);
    for (const RowGroup& group : groups)
        if (const LayerVariant* variant = group.layer(layer); variant != nullptr && variant->o_lora)
            variant->o_lora->add(*pool, *kernels,
                                 attended_input.floats(*pool, group.first, group.count, lora_input),
                                 attended_input.stride(), group.count,
                                 projected.data() + group.first * stride, stride, lora_scratch);
}

/// q_norm and k_norm where the family has them, RoPE on Q and K, a projection's maps at their sites, K and V
/// into the cache.
void PackedLm::Impl::rotateAndCache(int thread, int64_t index, int64_t layer, KvCache& cache) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    const StepRow& row = rows[static_cast<size_t>(index)];
    const ModelVariant* variant = row_variants[static_cast<size_t>(index)];
    const LayerVariant* changed = variant == nullptr ? nullptr : &variant->layers[static_cast<size_t>(layer)];
    const int64_t heads = config.num_attention_heads;
    const int64_t all_heads = heads + config.num_key_value_heads;
    const int64_t D = config.head_dim;
    float* q = qkv.data() + index * qkvStride();
    float* k = q + heads * D;
    float* v = k + config.kvWidth();
    const auto mapKeysAt = [&](KvSite site) {
        if (changed != nullptr && changed->k_map && variant->site == site)
            applyMap(thread, *changed->k_map, k);
    };
    if (changed != nullptr && changed->v_map)
        applyMap(thread, *changed->v_map, v);
    mapKeysAt(KvSite::proj);
    if (config.qk_norm)
        for (int64_t h = 0; h < all_heads; ++h)
            kernels->rms_norm(q + h * D, (h < heads ? w.q_norm : w.k_norm).data(), D, eps(), q + h * D);
    mapKeysAt(KvSite::post_norm);
    for (int64_t h = 0; h < all_heads; ++h)
        rotate(q + h * D, row.position);
    mapKeysAt(KvSite::post_rope);
    cache.write(*kernels, row.slot, layer, row.position, k, v);
}

/// values = M values, K or V of one row.
void PackedLm::Impl::applyMap(int thread, const PackedMatrix& map, float* values) {
    float* result = mapped.data() + thread * roundUpToLanes(config.kvWidth());
    map.multiplyRow(*kernels, values, result);
    std::copy_n(result, config.kvWidth(), values);
}

/// Rotate-half layout: element i turns with element i + D/2.
void PackedLm::Impl::rotate(float* head, int64_t position) const {
    const int64_t half = config.head_dim / 2;
    const float* cos = rope_cos.data() + position * half;
    const float* sin = rope_sin.data() + position * half;
    for (int64_t i = 0; i < half; ++i) {
        const float first = head[i];
        const float second = head[i + half];
        head[i] = first * cos[i] - second * sin[i];
        head[i + half] = second * cos[i] + first * sin[i];
    }
}

void PackedLm::Impl::attend(int64_t layer, const KvCache& cache) {
    const int64_t kv_heads = config.num_key_value_heads;
    const int64_t group = config.num_attention_heads / kv_heads;
    const int64_t D = config.head_dim;
    const int64_t scratch = static_cast<int64_t>(scores.size()) / pool->size();
    const auto kernel = dtype == DType::float32    ? kernels->attend_float32
                        : dtype == DType::bfloat16 ? kernels->attend_bfloat16
                                                   : kernels->attend_float16;
    pool->run(rowCount() * kv_heads, [&](int thread, int64_t item) {
        const int64_t i = item / kv_heads;
        const int64_t head = item % kv_heads;
        const StepRow& row = rows[static_cast<size_t>(i)];
        float* out = attended.data() + (i * config.num_attention_heads + head * group) * headStride();
        kernel({qkv.data() + i * qkvStride() + head * group * D, cache.keys(row.slot, layer, head),
                cache.values(row.slot, layer, head), D, cache.valueStride(), row.position + 1, group,
                1.0f / std::sqrt(static_cast<float>(D)), scores.data() + thread * scratch, out,
                headStride()});
        for (int64_t g = 0; g < group; ++g)
            attended_input.setRow(*kernels, i, (head * group + g) * D, out + g * headStride(), D);
    });
}

}  // namespace spd
