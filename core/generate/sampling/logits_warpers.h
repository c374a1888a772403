#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace spd {

/// Memory that sampleToken() and the warpers reuse; one a thread.
struct SamplerScratch {
    std::vector<uint64_t> seen;       ///< repetition penalty: one bit a row whose score is done
    std::vector<float> best_scores;   ///< top-k: scores that may be the k-th
    std::vector<double> bucket_mass;  ///< top-p: probability mass by distance from the best score
    std::vector<uint64_t> boundary;   ///< top-p: sort keys of the bucket in which the kept mass ends
};

// transformers' logits processors on one row of float32 scores, in place; what they remove becomes -inf.
// Scores are [vocabulary], without NaN and +inf. `best` is the largest score, above -inf.

/// RepetitionPenaltyLogitsProcessor: s < 0 ? s * penalty : s / penalty, once for each id in `context_ids`;
/// ids outside the vocabulary are ignored.
void penalizeRepetition(std::span<float> scores, std::span<const int32_t> context_ids, double penalty,
                        SamplerScratch& scratch);

/// TopKLogitsWarper: removes scores below the k-th largest; those that equal it stay.
/// @param k  >= 1; more than the vocabulary removes nothing.
void keepTopK(std::span<float> scores, int64_t k, SamplerScratch& scratch);

/// TopPLogitsWarper: in ascending order of score (among equals of row) removes rows while the mass up to and
/// including the row is <= 1 - p; the last row stays. (transformers leaves the order of equals to torch.sort,
/// which is not stable; here it is.) Masses are summed in double and compared in float32, so
/// that a mass which is 1 - p but for rounding counts as equal.
/// @param p  0 <= p <= 1.
void keepTopP(std::span<float> scores, float best, double p, SamplerScratch& scratch);

/// MinPLogitsWarper: removes rows whose probability is below min_p times that of the best.
/// @param min_p  0 < min_p <= 1.
void keepMinP(std::span<float> scores, float best, double min_p);

}  // namespace spd
