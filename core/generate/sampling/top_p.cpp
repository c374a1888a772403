#include <algorithm>
#include <array>

#include "core/generate/sampling/logits_warpers.h"
#include "core/generate/sampling/reproducible_math.h"
#include "core/generate/sampling/score_blocks.h"

namespace spd {

namespace {

/// Buckets by distance below the best score, 1/64 wide; the last one takes the rest. Sorting is needed in the
/// one bucket in which the kept mass ends, not in the vocabulary.
constexpr int32_t kBuckets = 2048;
constexpr double kBucketsPerUnit = 64;

int32_t bucketOf(double below_best) {
    return static_cast<int32_t>(std::min(below_best * kBucketsPerUnit, kBuckets - 1.0));
}

/// Calls body(begin, count) for the blocks in which something is left.
template <class Body>
void forEachKeptBlock(std::span<float> scores, const Body& body) {
    for (size_t begin = 0; begin < scores.size(); begin += kScoreBlock) {
        const size_t count = std::min(kScoreBlock, scores.size() - begin);
        if (count == kScoreBlock && blockMaximum(scores.data() + begin) == kRemoved)
            continue;
        body(begin, count);
    }
}

/// Sums exp(score - best) by bucket. @return the sum of all
double sumBuckets(std::span<float> scores, double best, std::vector<double>& mass) {
    mass.assign(kBuckets, 0.0);
    forEachKeptBlock(scores, [&](size_t begin, size_t count) {
        std::array<double, kScoreBlock> masses;
        std::array<int32_t, kScoreBlock> buckets;
        for (size_t i = 0; i < count; ++i) {
            const double below = best - scores[begin + i];
            masses[i] = reproducibleExp(-below);
            buckets[i] = bucketOf(below);
        }
        for (size_t i = 0; i < count; ++i)
            mass[static_cast<size_t>(buckets[i])] += masses[i];
    });
    double total = 0;
    for (size_t bucket = mass.size(); bucket-- > 0;)
        total += mass[bucket];
    return total;
}

/// Removes the buckets past `boundary` and lists the rows of `boundary`.
void removeBuckets(std::span<float> scores, double best, int32_t boundary, std::vector<int32_t>& rows) {
    rows.clear();
    forEachKeptBlock(scores, [&](size_t begin, size_t count) {
        std::array<int32_t, kScoreBlock> buckets;
        for (size_t i = 0; i < count; ++i)
            buckets[i] = bucketOf(best - scores[begin + i]);
        for (size_t i = 0; i < count; ++i)
            scores[begin + i] = buckets[i] > boundary ? kRemoved : scores[begin + i];
        for (size_t i = 0; i < count; ++i)
            if (buckets[i] == boundary)
                rows.push_back(static_cast<int32_t>(begin + i));
    });
}

}  // namespace

void keepTopP(std::span<float> scores, float best, double p, SamplerScratch& scratch) {
    const auto removed_mass = static_cast<float>(1 - p);
    const double total = sumBuckets(scores, best, scratch.bucket_mass);
    const auto stays = [&](double mass) { return static_cast<float>(mass / total) > removed_mass; };

    double mass = 0;  // of the buckets past `boundary`: all of their rows go
    int32_t boundary = kBuckets - 1;
    for (; boundary > 0; --boundary) {
        const double with_bucket = mass + scratch.bucket_mass[static_cast<size_t>(boundary)];
        if (stays(with_bucket))
            break;
        mass = with_bucket;
    }
    std::vector<int32_t>& rows = scratch.boundary;
    removeBuckets(scores, best, boundary, rows);
    const auto scoreOf = [&](int32_t row) -> float& { return scores[static_cast<size_t>(row)]; };
    std::sort(rows.begin(), rows.end(), [&](int32_t a, int32_t b) {
        return scoreOf(a) != scoreOf(b) ? scoreOf(a) < scoreOf(b) : a < b;
    });
    if (boundary == 0)
        rows.pop_back();  // the best row stays, whatever p
    for (const int32_t row : rows) {
        mass += reproducibleExp(scoreOf(row) - double{best});
        if (stays(mass))
            break;
        scoreOf(row) = kRemoved;
    }
}

}  // namespace spd
