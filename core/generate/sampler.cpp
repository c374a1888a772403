#include "core/generate/sampler.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <string>

#include "core/base/sha256.h"
#include "core/generate/sampling/gumbel.h"
#include "core/generate/sampling/score_blocks.h"

namespace spd {

namespace {

uint64_t noiseKeyOf(uint64_t seed, char kind, std::string_view id) {
    std::string text = "spd sampling noise 1\n" + std::to_string(seed) + "\n" + kind + ":";
    text += id;
    return std::stoull(sha256Hex(text).substr(0, 16), nullptr, 16);
}

/// The largest score and the first row that has it; row kNoToken when nothing can be chosen.
struct Best {
    float score = kRemoved;
    int32_t row = kNoToken;
};

/// Scores of a block after mask and temperature, in place. @return whether all of them are below +inf
bool prepareBlock(float* block, const uint8_t* allowed, size_t count, float temperature) {
    if (allowed != nullptr)
        for (size_t i = 0; i < count; ++i)
            block[i] = allowed[i] != 0 ? block[i] : kRemoved;
    if (temperature != 1)
        for (size_t i = 0; i < count; ++i)
            block[i] /= temperature;
    int invalid = 0;
    for (size_t i = 0; i < count; ++i)
        invalid |= block[i] <= std::numeric_limits<float>::max() ? 0 : 1;  // NaN or +inf
    return invalid == 0;
}

Best prepare(std::span<float> logits, std::span<const uint8_t> allowed, float temperature) {
    Best best;
    for (size_t begin = 0; begin < logits.size(); begin += kScoreBlock) {
        const size_t count = std::min(kScoreBlock, logits.size() - begin);
        float* block = logits.data() + begin;
        if (!prepareBlock(block, allowed.empty() ? nullptr : allowed.data() + begin, count, temperature))
            return {};
        const float largest =
            count == kScoreBlock ? blockMaximum(block) : *std::max_element(block, block + count);
        if (largest > best.score)
            best = {largest, static_cast<int32_t>(std::find(block, block + count, largest) - logits.data())};
    }
    return best;
}

}  // namespace

uint64_t noiseKey(uint64_t seed, std::string_view prompt_id) {
    return noiseKeyOf(seed, 's', prompt_id);
}

uint64_t noiseKey(uint64_t seed, int64_t prompt_id) {
    return noiseKeyOf(seed, 'i', std::to_string(prompt_id));
}

int32_t warpLogits(std::span<float> logits, const SamplingSettings& settings,
                   std::span<const int32_t> context_ids, std::span<const uint8_t> allowed,
                   SamplerScratch& scratch) {
    assert(allowed.empty() || allowed.size() == logits.size());
    if (settings.repetition_penalty != 1)
        penalizeRepetition(logits, context_ids, settings.repetition_penalty, scratch);
    const Best best =
        prepare(logits, allowed, settings.greedy ? 1.0f : static_cast<float>(settings.temperature));
    if (settings.greedy || best.row == kNoToken)
        return best.row;
    if (settings.top_k > 0)
        keepTopK(logits, settings.top_k, scratch);
    if (settings.top_p < 1)
        keepTopP(logits, best.score, settings.top_p, scratch);
    if (settings.min_p > 0)
        keepMinP(logits, best.score, settings.min_p);
    return best.row;
}

int32_t sampleToken(std::span<float> logits, const SamplingSettings& settings,
                    std::span<const int32_t> context_ids, uint64_t noise_key, uint64_t token_index,
                    std::span<const uint8_t> allowed, SamplerScratch& scratch) {
    const int32_t best_row = warpLogits(logits, settings, context_ids, allowed, scratch);
    if (settings.greedy || best_row == kNoToken)
        return best_row;
    return gumbelArgmax(logits, best_row, noise_key, token_index);
}

}  // namespace spd
