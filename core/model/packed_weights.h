#pragma once

#include <optional>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/io/checkpoint.h"
#include "core/kernels/packed_matrix.h"

namespace spd {

/// The weights of one decoder layer as generation reads them: q, k, v in one matrix, gate and up in one.
/// Biases are float32, padded to 16; empty where the family has none.
struct DecoderLayerWeights {
    std::vector<float> input_norm;
    PackedMatrix qkv;  // [(H + 2 Hkv) D, hidden_size]
    std::vector<float> qkv_bias;
    std::vector<float> q_norm;  // [D], only with qk_norm
    std::vector<float> k_norm;
    PackedMatrix o;  // [hidden_size, H D]
    std::vector<float> o_bias;
    std::vector<float> post_attention_norm;
    PackedMatrix gate_up;  // [2 intermediate_size, hidden_size]
    std::vector<float> gate_up_bias;
    PackedMatrix down;  // [hidden_size, intermediate_size]
    std::vector<float> down_bias;

    const float* qkvBias() const { return qkv_bias.empty() ? nullptr : qkv_bias.data(); }
    const float* oBias() const { return o_bias.empty() ? nullptr : o_bias.data(); }
    const float* gateUpBias() const { return gate_up_bias.empty() ? nullptr : gate_up_bias.data(); }
    const float* downBias() const { return down_bias.empty() ? nullptr : down_bias.data(); }
};

struct PackedWeights {
    std::optional<PackedMatrix>
        untied_embedding;  // absent where the head is tied: rows are then taken from `head`
    std::vector<DecoderLayerWeights> layers;
    std::vector<float> final_norm;
    PackedMatrix head;  // [vocab_size, hidden_size]

    const PackedMatrix& embedding() const { return untied_embedding ? *untied_embedding : head; }
};

/// Reads every weight once and packs it on the pool's threads; only a few MiB stand unpacked at a time.
/// @throws Error io, out_of_memory; Cancelled
PackedWeights loadPackedWeights(const Checkpoint& checkpoint, DType dtype, ThreadPool& pool,
                                const JobContext& context);

}  // namespace spd
