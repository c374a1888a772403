#pragma once

#include <array>
#include <cstddef>
#include <limits>

namespace spd {

/// The sampler walks a row of scores in blocks of this many: they stay in the first cache, and a block in
/// which nothing can be chosen is passed over.
inline constexpr size_t kScoreBlock = 256;
/// Maxima are taken side by side in this many lanes, so that the compiler can use vectors whatever their
/// width.
inline constexpr size_t kScoreLanes = 32;

/// Score of a row that a warper removed or that has no token, as in transformers.
inline constexpr float kRemoved = -std::numeric_limits<float>::infinity();

/// Lane j's maximum: over the entries j, j + 32, j + 64, ... of a block.
inline std::array<float, kScoreLanes> laneMaxima(const float* block) {
    std::array<float, kScoreLanes> lanes;
    for (size_t j = 0; j < kScoreLanes; ++j)
        lanes[j] = block[j];
    for (size_t i = kScoreLanes; i < kScoreBlock; i += kScoreLanes)
        for (size_t j = 0; j < kScoreLanes; ++j)
            lanes[j] = block[i + j] > lanes[j] ? block[i + j] : lanes[j];
    return lanes;
}

/// The largest of kScoreBlock scores, none of them NaN.
inline float blockMaximum(const float* block) {
    std::array<float, kScoreLanes> lanes = laneMaxima(block);
    for (size_t width = kScoreLanes / 2; width > 0; width /= 2)
        for (size_t j = 0; j < width; ++j)
            lanes[j] = lanes[j + width] > lanes[j] ? lanes[j + width] : lanes[j];
    return lanes[0];
}

}  // namespace spd
