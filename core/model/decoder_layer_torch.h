#pragma once

#include <ATen/core/Tensor.h>

#include "core/io/model_config.h"
#include "core/model/seams_torch.h"
#include "core/model/weights_torch.h"

namespace spd {

/// cos and sin of every position's angles, [T, head_dim], in the dtype that Q and K have.
struct Rotation {
    at::Tensor cos;
    at::Tensor sin;
};

/// Of positions 0 to `positions` - 1.
Rotation rotationOf(const ModelConfig& config, int64_t positions, at::ScalarType dtype);

/// x / sqrt(mean(x^2) + eps) in float32 over the last dimension, rounded to the type of x, times weight.
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// One layer of CausalLm: what hiddenStates() repeats, and what training differentiates piece by piece.
/// @param layer  its number from 0, for the seams.
/// @param x  [B, T, hidden_size]: the residual stream before the layer.
/// @return the residual stream behind it.
at::Tensor decoderLayer(const ModelConfig& config, const DecoderLayer& weights, const Rotation& rotation,
                        const ForwardSeams& seams, int64_t layer, const at::Tensor& x);

}  // namespace spd
