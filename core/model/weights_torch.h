#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/io/checkpoint.h"

namespace spd {

/// y = x weight^T + bias.
struct Linear {
    at::Tensor weight;  // [out, in]
    at::Tensor bias;    // [out]; undefined where the family has none
};

/// Names and shapes are those of the checkpoint; norms are [hidden_size], q_norm and k_norm [head_dim].
struct DecoderLayer {
    at::Tensor input_layernorm;
    Linear q_proj, k_proj, v_proj, o_proj;
    at::Tensor q_norm, k_norm;  // undefined without qk_norm
    at::Tensor post_attention_layernorm;
    Linear gate_proj, up_proj, down_proj;
};

/// Every weight of the model in the compute dtype, contiguous, on the CPU. Plain leaf tensors: a caller may
/// ask them to require gradients.
struct ModelWeights {
    at::Tensor embed_tokens;  // [vocab_size, hidden_size]
    std::vector<DecoderLayer> layers;
    at::Tensor norm;
    at::Tensor lm_head;  // [vocab_size, hidden_size]; the same tensor as embed_tokens where the head is tied
};

at::ScalarType scalarType(DType dtype);

/// Reads the weights straight into the tensors that compute: nothing is held twice.
/// @throws Error io, out_of_memory; Cancelled
ModelWeights loadModelWeights(const Checkpoint& checkpoint, DType dtype, const JobContext& context);

}  // namespace spd
