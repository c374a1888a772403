#pragma once

#include <ATen/core/Tensor.h>

#include "core/train/dropout.h"

namespace spd {

/// The LoRA of one linear as the forward pass needs it.
struct LoraTensors {
    at::Tensor a;      // [r, in], float32
    at::Tensor b;      // [out, r], float32
    double scale = 0;  // alpha / r
};

/// y + scale B A dropout(x) in float32, rounded to the type of y, as peft computes it. One node of the
/// autograd graph, which keeps x and A x; the dropout's factors are drawn again in the backward pass.
/// @param x  [1, T, in]: one sequence.   @param y  [1, T, out]: the frozen linear's output.
/// @param noise  rate 0: no dropout.
at::Tensor loraLinear(const at::Tensor& x, const at::Tensor& y, const LoraTensors& lora,
                      const DropoutNoise& noise);

}  // namespace spd
