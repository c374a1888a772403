#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "core/io/adapter.h"
#include "core/subspace/subspace.h"

namespace spd {

/// Where a caller may look into the forward pass of CausalLm or change it. Empty functions cost nothing and
/// change nothing; the weights stay as they are. Both are called on the thread that runs the forward pass,
/// layers ascending, and are part of the autograd graph when gradients are recorded.
struct ForwardSeams {
    /// Output of q_proj, k_proj, v_proj or o_proj of a layer, bias included (LoRA).
    /// @param x  [B, T, in]: the linear's input.   @param y  [B, T, out]: W x + b.
    /// @return what takes the place of y.
    std::function<at::Tensor(int64_t layer, AttentionLinear linear, const at::Tensor& x, const at::Tensor& y)>
        linear;

    /// K or V on its way to attention, after `linear` (tap and projection, paper Eq. 7 and 12): K at all
    /// three sites (post_norm only where the model has k_norm), V at proj only.
    /// @param x  [B, T, Hkv x D], heads side by side.   @return what takes the place of x.
    std::function<at::Tensor(int64_t layer, KvStream stream, KvSite site, const at::Tensor& x)> kv;

    /// Made by interventionSeams() for an intervention that is not none; see assertNoIntervention().
    bool intervenes = false;
};

}  // namespace spd
