#include "tests/support/slow_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "core/base/philox.h"

namespace spd::test {

namespace {

constexpr float kRemoved = -std::numeric_limits<float>::infinity();

/// Rows in rising order of score, among equals of row.
std::vector<size_t> ascending(const std::vector<float>& scores) {
    std::vector<size_t> rows(scores.size());
    std::iota(rows.begin(), rows.end(), size_t{0});
    std::stable_sort(rows.begin(), rows.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
    return rows;
}

void topK(std::vector<float>& scores, int64_t k) {
    const size_t count = std::min(static_cast<size_t>(k), scores.size());
    const float kth = scores[ascending(scores)[scores.size() - count]];
    for (float& score : scores)
        if (score < kth)
            score = kRemoved;
}

void topP(std::vector<float>& scores, double p) {
    const std::vector<double> probabilities = softmax(scores);
    const std::vector<size_t> rows = ascending(scores);
    double mass = 0;
    for (size_t i = 0; i + 1 < rows.size(); ++i) {
        mass += probabilities[rows[i]];
        if (static_cast<float>(mass) <= static_cast<float>(1 - p))
            scores[rows[i]] = kRemoved;
    }
}

void minP(std::vector<float>& scores, double min_p) {
    const double best = *std::max_element(scores.begin(), scores.end());
    for (float& score : scores)
        if (score < best + std::log(min_p))
            score = kRemoved;
}

}  // namespace

std::vector<double> softmax(std::span<const float> scores) {
    const double best = *std::max_element(scores.begin(), scores.end());
    std::vector<double> probabilities;
    for (const float score : scores)
        probabilities.push_back(std::exp(score - best));
    const double total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
    for (double& probability : probabilities)
        probability /= total;
    return probabilities;
}

std::vector<float> slowScores(std::vector<float> logits, const SamplingSettings& settings,
                              const std::vector<int32_t>& context_ids, const std::vector<uint8_t>& allowed) {
    const auto penalty = static_cast<float>(settings.repetition_penalty);
    for (const int32_t id : std::set<int32_t>(context_ids.begin(), context_ids.end()))
        if (id >= 0 && static_cast<size_t>(id) < logits.size()) {
            float& score = logits[static_cast<size_t>(id)];
            score = score < 0 ? score * penalty : score / penalty;
        }
    for (size_t i = 0; i < allowed.size(); ++i)
        if (allowed[i] == 0)
            logits[i] = kRemoved;
    if (settings.greedy || *std::max_element(logits.begin(), logits.end()) == kRemoved)
        return logits;
    for (float& score : logits)
        score /= static_cast<float>(settings.temperature);
    if (settings.top_k > 0)
        topK(logits, settings.top_k);
    if (settings.top_p < 1)
        topP(logits, settings.top_p);
    if (settings.min_p > 0)
        minP(logits, settings.min_p);
    return logits;
}

int32_t slowToken(const std::vector<float>& scores, bool greedy, uint64_t noise_key, uint64_t token_index) {
    int32_t best_row = -1;
    long double best = -std::numeric_limits<long double>::infinity();
    const auto low_index = static_cast<uint32_t>(token_index);
    const auto high_index = static_cast<uint32_t>(token_index >> 32);
    for (uint32_t row = 0; row < scores.size(); ++row) {
        const uint64_t high = philox(noise_key, {low_index, high_index, 0, row / 4})[row % 4];
        const uint64_t low = philox(noise_key, {low_index, high_index, 1, row / 4})[row % 4];
        const long double u = (static_cast<long double>(high << 32 | low) + 0.5L) / 0x1p64L;
        const long double noise = greedy ? 0 : -std::log(-std::log(u));
        if (scores[row] + noise > best) {
            best = scores[row] + noise;
            best_row = static_cast<int32_t>(row);
        }
    }
    return best_row;
}

}  // namespace spd::test
