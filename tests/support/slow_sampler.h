#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/generate/sampling/sampling_settings.h"

namespace spd::test {

/// The obvious twin of spd::warpLogits(): a full stable sort, all probabilities with the C library's exp.
std::vector<float> slowScores(std::vector<float> logits, const SamplingSettings& settings,
                              const std::vector<int32_t>& context_ids, const std::vector<uint8_t>& allowed);

/// The obvious twin of spd::sampleToken(): noise and logarithms (long double) for every row.
/// @return -1 when no score is above -inf
int32_t slowToken(const std::vector<float>& scores, bool greedy, uint64_t noise_key, uint64_t token_index);

/// softmax in double.
std::vector<double> softmax(std::span<const float> scores);

}  // namespace spd::test
