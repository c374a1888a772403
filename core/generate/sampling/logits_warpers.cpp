#include "core/generate/sampling/logits_warpers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "core/generate/sampling/reproducible_math.h"
#include "core/generate/sampling/score_blocks.h"

namespace spd {

namespace {

void removeBelow(std::span<float> scores, float threshold) {
    for (float& score : scores)
        score = score < threshold ? kRemoved : score;
}

/// A score that at least `k` scores reach: the k-th largest of the maxima of small groups.
float lowerBoundOfKth(std::span<const float> scores, size_t k, std::vector<float>& maxima) {
    maxima.clear();
    size_t begin = 0;
    for (; begin + kScoreBlock <= scores.size(); begin += kScoreBlock) {
        const auto lanes = laneMaxima(scores.data() + begin);
        maxima.insert(maxima.end(), lanes.begin(), lanes.end());
    }
    maxima.insert(maxima.end(), scores.begin() + static_cast<std::ptrdiff_t>(begin), scores.end());
    if (maxima.size() < k)
        return kRemoved;
    const auto kth = maxima.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(maxima.begin(), kth, maxima.end(), std::greater<>());
    return *kth;
}

}  // namespace

void penalizeRepetition(std::span<float> scores, std::span<const int32_t> context_ids, double penalty,
                        SamplerScratch& scratch) {
    const auto factor = static_cast<float>(penalty);
    scratch.seen.assign((scores.size() + 63) / 64, 0);
    for (const int32_t id : context_ids) {
        const auto row = static_cast<size_t>(id);
        if (id < 0 || row >= scores.size())
            continue;
        const uint64_t bit = uint64_t{1} << (row % 64);
        if ((scratch.seen[row / 64] & bit) != 0)
            continue;
        scratch.seen[row / 64] |= bit;
        scores[row] = scores[row] < 0 ? scores[row] * factor : scores[row] / factor;
    }
}

void keepTopK(std::span<float> scores, int64_t k, SamplerScratch& scratch) {
    if (k >= static_cast<int64_t>(scores.size()))
        return;
    std::vector<float>& best = scratch.best_scores;
    const float bound = lowerBoundOfKth(scores, static_cast<size_t>(k), best);
    best.resize(scores.size());
    size_t count = 0;
    for (const float score : scores) {
        best[count] = score;
        count += score >= bound ? 1 : 0;
    }
    const auto kth = best.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(best.begin(), kth, best.begin() + static_cast<std::ptrdiff_t>(count), std::greater<>());
    removeBelow(scores, *kth);
}

void keepMinP(std::span<float> scores, float best, double min_p) {
    const double threshold = best + reproducibleLog(std::max(min_p, std::numeric_limits<double>::min()));
    auto smallest_kept = static_cast<float>(threshold);
    if (smallest_kept < threshold)
        smallest_kept = std::nextafter(smallest_kept, best);
    removeBelow(scores, smallest_kept);
}

}  // namespace spd
