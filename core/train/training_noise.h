#pragma once

#include <cstdint>
#include <vector>

namespace spd {

/// Everything that training draws is a function of the seed and of what it is drawn for, never of a running
/// generator: a resumed run draws the same. The streams do not meet.
enum class TrainingStream : uint32_t { initial_weights = 1, order = 2, dropout = 3, held_out = 4 };

/// A Philox key for one stream. @param index  the step (dropout) or epoch (order) that it is for, else 0.
uint64_t trainingKey(uint64_t seed, TrainingStream stream, uint64_t index);

/// The order of the examples in an epoch, from 0 (core/data/permutation.h).
std::vector<int64_t> epochOrder(uint64_t seed, int64_t epoch, int64_t examples);

}  // namespace spd
