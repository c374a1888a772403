#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/generate/sampling/logits_warpers.h"
#include "core/generate/sampling/sampling_settings.h"

namespace spd {

/// What sampleToken() returns when there is nothing to choose from: no allowed row has a score above -inf, or
/// one has NaN or +inf (before or after the division by the temperature).
inline constexpr int32_t kNoToken = -1;

/// Key of a prompt's sampling noise: the first 8 bytes (big-endian) of SHA-256 of
/// "spd sampling noise 1\n<seed in decimal>\n<s or i>:<prompt id>", where s marks a string (its bytes) and i
/// an integer (decimal). So the id 7 and the id "7" have different noise.
uint64_t noiseKey(uint64_t seed, std::string_view prompt_id);
uint64_t noiseKey(uint64_t seed, int64_t prompt_id);

/// One row of logits to the scores that are drawn from: allowed rows only, repetition penalty, then (unless
/// greedy) temperature, top-k, top-p, min-p, in this order, as transformers' logits processors do it on
/// float32 scores; softmax is computed in double.
/// @param logits  [vocabulary], float32, becomes the scores: -inf for what was removed.
/// @param settings  valid, see SamplingSettings::validate().
/// @param context_ids  prompt and completion so far, for the repetition penalty; ids outside the vocabulary
/// are
///     ignored. Unused (may be empty) when the penalty is 1.
/// @param allowed  [vocabulary] or empty (all): rows with 0 have no token and are as if their score were
/// -inf.
/// @return the row of the largest score, the lowest among equals, or kNoToken.
/// Reentrant with one scratch a thread.
int32_t warpLogits(std::span<float> logits, const SamplingSettings& settings,
                   std::span<const int32_t> context_ids, std::span<const uint8_t> allowed,
                   SamplerScratch& scratch);

/// Chooses the next token: warpLogits(), then the largest score when greedy, else Gumbel-max: argmax of
/// s_v + g_v over the scores s, g_v = -log(-log u_v), which draws v with probability softmax(s)_v. u_v is a
/// function of (noise_key, token_index, v) alone, see sampling/gumbel.h: not of the settings, the batch or
/// the order, so two settings or two models that are compared see the same noise. Bits do not depend on the
/// processor.
/// @param noise_key  noiseKey() of the prompt.   @param token_index  0 for the first token of the completion.
/// @return 0 <= id < vocabulary, or kNoToken.
int32_t sampleToken(std::span<float> logits, const SamplingSettings& settings,
                    std::span<const int32_t> context_ids, uint64_t noise_key, uint64_t token_index,
                    std::span<const uint8_t> allowed, SamplerScratch& scratch);

}  // namespace spd
