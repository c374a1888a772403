#pragma once

#include <cstdint>
#include <span>

namespace spd {

/// The Gumbel noise of a vocabulary row: g = -log(-log u) with u = (n + 1/2) / 2^64, strictly between 0 and
/// 1; -3.81 < g < 45.06. n has 64 random bits: its high half is word v % 4 of the Philox block of counter
/// (token_index mod 2^32, token_index / 2^32, 0, v / 4), its low half the same word of counter (.., .., 1, v
/// / 4). With 32 bits alone tokens rarer than 1 in 2^32 could not be drawn as often as they should.
/// @param key  see noiseKey() in sampler.h.   @param row  v, the vocabulary index.
double gumbelNoise(uint64_t key, uint64_t token_index, uint32_t row);

/// argmax over rows v of scores[v] + gumbelNoise(key, token_index, v), computed in double, the lowest row
/// among equals: a draw from softmax(scores). The noise is worked out only for rows that a bound from the
/// high half of n does not rule out: a few dozen of a vocabulary.
/// @param scores  no NaN, no +inf; -inf is never drawn.
/// @param best_row  row of the largest score, which is above -inf: where the search starts.
int32_t gumbelArgmax(std::span<const float> scores, int32_t best_row, uint64_t key, uint64_t token_index);

}  // namespace spd
