#pragma once

#include <cstdint>
#include <vector>

namespace spd {

/// 0 to n - 1 in an order that is a function of (n, seed, purpose) alone: Fisher-Yates from the last place to
/// the first, where place i is exchanged with place j, uniform in 0 to i. j is Philox' first 64 bits (words 0
/// and 1, low first) for key `seed` and counter (i low, i high, attempt, purpose), modulo i + 1; attempts
/// count from 0 until the bits lie below the largest multiple of i + 1, so that no place is favoured.
/// The first k of it are the first k of any longer choice: 20 examples lie in 50, and these in 500.
/// @param purpose  tells choices of one seed apart.
std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint32_t purpose);

/// What permutation() is used for.
inline constexpr uint32_t kTaskRows = 1;        ///< calibration examples and training prompts of a data set
inline constexpr uint32_t kShippedRows = 2;     ///< which rows a shipped data set has
inline constexpr uint32_t kEvaluationRows = 3;  ///< questions of a limited evaluation

}  // namespace spd
