#pragma once

#include <algorithm>
#include <vector>

#include "core/intervene/packed_interventions.h"
#include "core/model/linear_input.h"
#include "core/model/packed_lm.h"
#include "core/model/packed_weights.h"

namespace spd {

/// Rows [first, first + count) of a step that are computed alike.
struct RowGroup {
    int64_t first = 0;
    int64_t count = 0;
    const ModelVariant* variant = nullptr;  ///< nullptr: the base model

    /// What this group does otherwise in a layer; nullptr for the base model.
    const LayerVariant* layer(int64_t index) const {
        return variant == nullptr ? nullptr : &variant->layers[static_cast<size_t>(index)];
    }
};

/// Weights and the buffers of one step. A step's rows are sorted into groups first; M rows, sorted, are what
/// every buffer holds.
struct PackedLm::Impl {
    ModelConfig config;
    DType dtype;
    ThreadPool* pool;
    const KernelTable* kernels;
    PackedWeights weights;

    // cos and sin of position x inverse frequency, float32: [positions, head_dim / 2]
    std::vector<float> rope_cos;
    std::vector<float> rope_sin;

    std::vector<StepRow> rows;                      // [M], sorted
    std::vector<const ModelVariant*> row_variants;  // [M], sorted
    std::vector<int64_t> places;                    // [M]: where the caller's i-th row stands in `rows`
    std::vector<RowGroup> groups;
    std::vector<float> hidden;      // [M, hidden_size]: the residual stream
    std::vector<float> normed;      // [threads, hidden_size or intermediate_size]
    std::vector<float> qkv;         // [M, (H + 2 Hkv) D padded]
    std::vector<float> mapped;      // [threads, Hkv D padded]: K or V times a projection's map
    std::vector<float> attended;    // [M, H x head_dim rounded up to 16]
    std::vector<float> projected;   // [M, hidden_size padded]: output of o_proj or down_proj
    std::vector<float> gate_up;     // [M, 2 intermediate_size padded]
    std::vector<float> scores;      // [threads, 8, longest sequence padded]
    std::vector<float> logits;      // [wanting rows, vocab_size padded]
    std::vector<float> lora_input;  // [rows of a group, input width]: float32 of what is bfloat16
    PackedLora::Scratch lora_scratch;
    LinearInput hidden_input;        // [M, hidden_size]
    LinearInput attended_input;      // [M, H D]
    LinearInput intermediate_input;  // [M, intermediate_size]

    // packed_lm.cpp
    void prepareRope(int64_t positions);
    void arrange(std::span<const StepRow> unsorted, const PackedInterventions& interventions);
    void reserve();
    void embed();
    void mlpBlock(int64_t layer);
    void addNormInput(bool add, const std::vector<float>& norm);
    std::span<float> head(std::span<const StepRow> unsorted);

    // packed_attention.cpp
    void attentionBlock(int64_t layer, KvCache& cache);
    void projectQkv(int64_t layer);
    void projectOutput(int64_t layer);
    void rotateAndCache(int thread, int64_t index, int64_t layer, KvCache& cache);
    void applyMap(int thread, const PackedMatrix& map, float* values);
    void rotate(float* head, int64_t position) const;
    void attend(int64_t layer, const KvCache& cache);

    int64_t rowCount() const { return static_cast<int64_t>(rows.size()); }
    float* normedRow(int thread) {
        return normed.data() + thread * std::max(config.hidden_size, config.intermediate_size);
    }
    int64_t qkvStride() const {
        return roundUpToLanes((config.num_attention_heads + 2 * config.num_key_value_heads) *
                              config.head_dim);
    }
    int64_t headStride() const { return roundUpToLanes(config.head_dim); }
    float eps() const { return static_cast<float>(config.rms_norm_eps); }
};

}  // namespace spd
