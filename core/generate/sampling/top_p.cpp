#include <algorithm>
#include <array>
#include <bit>

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

/// Score above, row below: integers that sort by score, among equals by row.
uint64_t sortKey(float score, size_t row) {
    const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // -0 becomes +0
    const uint32_t ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return uint64_t{ordered} << 32 | row;
}

size_t rowOf(uint64_t key) {
    return static_cast<uint32_t>(key);
}

/// Removes the buckets past `boundary` and lists the sort keys of `boundary`.
void removeBuckets(std::span<float> scores, double best, int32_t boundary, std::vector<uint64_t>& keys) {
    keys.clear();
    forEachKeptBlock(scores, [&](size_t begin, size_t count) {
        std::array<int32_t, kScoreBlock> buckets;
        for (size_t i = 0; i < count; ++i)
            buckets[i] = bucketOf(best - scores[begin + i]);
        for (size_t i = 0; i < count; ++i)
            scores[begin + i] = buckets[i] > boundary ? kRemoved : scores[begin + i];
        for (size_t i = 0; i < count; ++i)
            if (buckets[i] == boundary)
                keys.push_back(sortKey(scores[begin + i], begin + i));
    });
}

/// Number of the smallest keys whose rows go: sums up to and including them do not `stays()`. Halves the
/// range instead of sorting it.
/// @param mass  of everything below `keys`.
template <class MassOf, class Stays>
size_t countRemoved(std::span<uint64_t> keys, double mass, const MassOf& massOf, const Stays& stays) {
    size_t removed = 0;
    while (removed < keys.size()) {
        const std::span<uint64_t> open = keys.subspan(removed);
        const std::span<uint64_t> lower = open.first((open.size() + 1) / 2);
        std::nth_element(open.begin(), lower.end() - 1, open.end());
        double with_lower = mass;
        for (const uint64_t key : lower)
            with_lower += massOf(key);
        if (!stays(with_lower)) {
            mass = with_lower;
            removed += lower.size();
        } else if (lower.size() == 1) {
            break;
        } else {
            keys = keys.first(removed + lower.size());
        }
    }
    return removed;
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
    std::vector<uint64_t>& keys = scratch.boundary;
    removeBuckets(scores, best, boundary, keys);
    if (boundary == 0)
        keys.erase(std::max_element(keys.begin(), keys.end()));  // the best row stays, whatever p
    const auto massOf = [&](uint64_t key) { return reproducibleExp(scores[rowOf(key)] - double{best}); };
    const size_t removed = countRemoved(keys, mass, massOf, stays);
    for (size_t i = 0; i < removed; ++i)
        scores[rowOf(keys[i])] = kRemoved;
}

}  // namespace spd
