#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/generate/generation_settings.h"
#include "core/intervene/packed_interventions.h"
#include "core/kernels/thread_pool.h"
#include "core/model/packed_lm.h"
#include "core/text/tokenizer.h"

namespace spd {

/// A tokenised prompt in the queue.
struct GenerationPrompt {
    size_t index = 0;          ///< the caller's number; comes back with the completion
    std::vector<int32_t> ids;  ///< 1 <= size < max_position_embeddings
    uint64_t noise_key = 0;    ///< key of this prompt's sampling noise: (run seed, prompt id)
    int32_t intervention = PackedInterventions::kNone;  ///< index into generate()'s interventions
};

enum class FinishReason {
    stop,    ///< an EOS id or a stop string
    length,  ///< max_new_tokens, or the model's positions are used up
};

struct Completion {
    size_t index = 0;
    std::vector<int32_t> ids;  ///< the sampled tokens, with the EOS that ended them
    std::string text;          ///< decoded without special tokens, cut before the stop string that fired
    FinishReason finish_reason = FinishReason::length;
};

/// Completes every prompt (paper Eq. 13): `settings.batch` slots decode together; a slot that ends is
/// refilled at once from the queue, longest prompt first. Prompts are computed in pieces beside the decoding
/// slots. A completion depends on its prompt, its noise key, its intervention and the settings other than
/// `batch`, and on nothing else: not on the batch, the order, or the threads.
/// @param interventions  of the model's prepare(): prompts of one call may name different ones, or none.
/// @param on_completion  called on this thread in order of completion; what it throws ends the generation.
/// @throws Cancelled within one step of a stop request; Error out_of_memory, internal (logits that are not
/// finite)
void generate(PackedLm& model, const PackedInterventions& interventions, const Tokenizer& tokenizer,
              ThreadPool& pool, std::vector<GenerationPrompt> prompts, const GenerationSettings& settings,
              const JobContext& context, const std::function<void(Completion&&)>& on_completion);

}  // namespace spd
