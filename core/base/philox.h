#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace spd {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011): random
/// bits as a pure function of a 64-bit key and a 128-bit counter. Equal to Random123's philox4x32. All
/// functions are thread-safe.
using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxBlock = std::array<uint32_t, 4>;

/// @param key  its low half is Random123's key word 0.
PhiloxBlock philox(uint64_t key, const PhiloxCounter& counter);

/// The blocks of `first`, then of the counters whose last word is one more each (modulo 2^32; no carry into
/// the other words), one after another. Bits equal philox(); several times faster.
/// @param out  size is a multiple of 4: four words a block.
void philoxFill(uint64_t key, const PhiloxCounter& first, std::span<uint32_t> out);

}  // namespace spd
