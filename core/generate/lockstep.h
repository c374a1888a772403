#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/generate/generator.h"

namespace spd {

/// One prompt, completed side by side by several interventions on one model.
struct LockstepRequest {
    std::vector<int32_t> ids;            ///< of the prompt; 1 <= size < max_position_embeddings
    uint64_t noise_key = 0;              ///< the same noise in every pane
    std::vector<int32_t> interventions;  ///< a pane each: index into the interventions, or kNone
    GenerationSettings settings;         ///< `batch` is not used
};

/// A token of one pane and what the model thought before it was drawn, without temperature and cuts.
struct LockstepToken {
    size_t pane = 0;
    int32_t id = 0;
    double logprob = 0;
    double entropy = 0;  ///< nats
    /// KL(pane || base model) of the next token's distribution after the pane's own text, nats; 0 for the
    /// base.
    double kl_to_base = 0;
    std::vector<std::pair<int32_t, double>> top;  ///< the ten likeliest ids with their log-probabilities
    bool ended = false;                           ///< this was the pane's last
    FinishReason finish_reason = FinishReason::length;  ///< with `ended`
};

/// Draws token by token: one token of each pane that has not ended, then the next. A pane's tokens are those
/// that generate() gives the same prompt, key, intervention and settings. Beside each pane with an
/// intervention the base model reads the same text, for the KL: twice the work.
/// @param on_token  called on this thread; what it throws ends the generation.
/// @throws Cancelled within one step; Error as generate()
void generateLockstep(PackedLm& model, const PackedInterventions& interventions, const Tokenizer& tokenizer,
                      const LockstepRequest& request, const JobContext& context,
                      const std::function<void(const LockstepToken&)>& on_token);

}  // namespace spd
