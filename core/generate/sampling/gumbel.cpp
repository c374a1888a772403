#include "core/generate/sampling/gumbel.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/philox.h"
#include "core/generate/sampling/reproducible_math.h"
#include "core/generate/sampling/score_blocks.h"

namespace spd {

namespace {

constexpr double kLargestNoise = 45.06;

PhiloxCounter counterOf(uint64_t token_index, uint32_t plane, uint32_t row) {
    return {static_cast<uint32_t>(token_index), static_cast<uint32_t>(token_index >> 32), plane, row / 4};
}

/// -log(-log((n + 1/2) / 2^64))
double gumbelOf(uint64_t n) {
    constexpr uint64_t kNearOne = uint64_t{0xB504F333} << 32;  // sqrt(1/2)
    if (n < kNearOne)
        return -reproducibleLog(-reproducibleLog((static_cast<double>(n) + 0.5) * 0x1p-64));
    // 1 - u keeps its digits where u is next to 1; log u = log((1 + s) / (1 - s)) with s = (u - 1) / (u + 1)
    const double below_one = (static_cast<double>(~n) + 0.5) * 0x1p-64;
    return -reproducibleLog(logOfRatio(below_one / (2 - below_one)));
}

/// What is drawn so far.
struct Draw {
    int32_t row;
    double value;

    /// No float upper bound below this belongs to a row that could win: the bounds are off by less than
    /// 2^-22 of themselves + 1e-4.
    float threshold() const { return static_cast<float>(value - (std::abs(value) + 256) * 0x1p-20); }
};

/// Upper bounds of scores + noise from the high halves of n. With w = 2^32 - 1 - high: -log u > w / 2^32, so
/// g < (32 - log2 w) ln 2; a float's bits are its log2 from below, piecewise linear (at w < 2 the bound is
/// far too high, which costs one logarithm in a billion).
void boundBlock(const float* scores, const uint32_t* high, float* bounds) {
    constexpr float kLn2 = 0.69314718f;
    for (size_t i = 0; i < kScoreBlock; ++i) {
        const auto half =
            static_cast<float>(static_cast<int32_t>(~high[i] >> 1));  // SSE2 converts signed only
        const auto bits = static_cast<float>(std::bit_cast<int32_t>(half));
        bounds[i] = scores[i] + (158 * kLn2 - bits * (kLn2 * 0x1p-23f));
    }
}

void drawFromBlock(std::span<const float> scores, size_t begin, uint64_t key, uint64_t token_index,
                   Draw& draw) {
    std::array<float, kScoreBlock> padded;
    const size_t count = std::min(kScoreBlock, scores.size() - begin);
    const float* block = scores.data() + begin;
    if (count < kScoreBlock) {
        std::copy_n(block, count, padded.begin());
        std::fill(padded.begin() + static_cast<std::ptrdiff_t>(count), padded.end(), kRemoved);
        block = padded.data();
    }
    if (blockMaximum(block) + kLargestNoise < draw.value)
        return;
    std::array<uint32_t, kScoreBlock> high;
    philoxFill(key, counterOf(token_index, 0, static_cast<uint32_t>(begin)), high);
    std::array<float, kScoreBlock> bounds;
    boundBlock(block, high.data(), bounds.data());
    if (blockMaximum(bounds.data()) < draw.threshold())
        return;
    for (size_t i = 0; i < count; ++i) {
        if (bounds[i] < draw.threshold())
            continue;
        const auto row = static_cast<uint32_t>(begin + i);
        const uint32_t low = philox(key, counterOf(token_index, 1, row))[row % 4];
        const double value = block[i] + gumbelOf(uint64_t{high[i]} << 32 | low);
        const auto candidate = static_cast<int32_t>(row);
        if (value > draw.value || (value == draw.value && candidate < draw.row))
            draw = {candidate, value};
    }
}

}  // namespace

double gumbelNoise(uint64_t key, uint64_t token_index, uint32_t row) {
    const uint32_t high = philox(key, counterOf(token_index, 0, row))[row % 4];
    const uint32_t low = philox(key, counterOf(token_index, 1, row))[row % 4];
    return gumbelOf(uint64_t{high} << 32 | low);
}

int32_t gumbelArgmax(std::span<const float> scores, int32_t best_row, uint64_t key, uint64_t token_index) {
    Draw draw = {best_row, scores[static_cast<size_t>(best_row)] +
                               gumbelNoise(key, token_index, static_cast<uint32_t>(best_row))};
    for (size_t begin = 0; begin < scores.size(); begin += kScoreBlock)
        drawFromBlock(scores, begin, key, token_index, draw);
    return draw.row;
}

}  // namespace spd
