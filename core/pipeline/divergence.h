#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/intervene/intervention.h"
#include "core/model/causal_lm.h"

namespace spd {

/// A prompt and its completion as ids.
struct ScoredSequence {
    std::vector<int32_t> ids;   ///< prompt, then completion
    int64_t prompt_tokens = 0;  ///< >= 1: the first completion token is predicted from the last of the prompt
};

/// How far an intervention has moved a model.
struct Divergence {
    double mean_kl =
        0;  ///< KL(intervened || base) of the next token's distribution, nats, mean over `tokens`
    int64_t tokens = 0;  ///< completion tokens that were looked at
};

/// KL divergence to the base model at every position that predicts a completion token; log-probabilities in
/// float32 of logits in the model's dtype, sums in float64. Two forward passes a sequence; logits are made
/// for 64 positions at a time.
/// @throws Error as CausalLm::hiddenStates() and interventionSeams(); Cancelled
Divergence divergenceFromBase(const CausalLm& model, const Intervention& intervention,
                              std::span<const ScoredSequence> sequences, const JobContext& context);

}  // namespace spd
