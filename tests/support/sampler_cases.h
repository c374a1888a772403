#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "core/generate/sampling/sampling_settings.h"

namespace spd::test {

/// The arguments of sampleToken().
struct SamplerCase {
    std::vector<float> logits;
    SamplingSettings settings;
    std::vector<int32_t> context_ids;
    std::vector<uint8_t> allowed;
    uint64_t noise_key = 0;
    uint64_t token_index = 0;
};

/// Random cases of every kind.
class CaseMaker {
public:
    explicit CaseMaker(uint32_t seed) : generator_(seed) {}

    SamplerCase make(size_t vocabulary) {
        SamplerCase made;
        made.logits = logits(vocabulary);
        made.settings = settings(vocabulary);
        for (int64_t i = below(100); i > 0; --i)
            made.context_ids.push_back(static_cast<int32_t>(below(static_cast<int64_t>(vocabulary) + 2) - 1));
        if (below(3) == 0)
            for (size_t i = 0; i < vocabulary; ++i)
                made.allowed.push_back(below(5) != 0);
        made.noise_key = generator_();
        made.token_index = below(2) == 0 ? static_cast<uint64_t>(below(1000)) : generator_();
        return made;
    }

    int64_t below(int64_t limit) { return std::uniform_int_distribution<int64_t>(0, limit - 1)(generator_); }

private:
    double uniform() { return std::uniform_real_distribution<double>(0, 1)(generator_); }

    /// Scores of every kind: flat to steep, with ties, -inf, outliers, rising or falling.
    std::vector<float> logits(size_t vocabulary) {
        std::normal_distribution<float> normal(0, std::pow(10.0f, static_cast<float>(3 * uniform() - 2)));
        const int64_t kind = below(6);
        const auto slope = static_cast<float>(2 * uniform() - 1) / (kind == 0 ? 10.0f : INFINITY);
        std::vector<float> scores(vocabulary);
        for (size_t i = 0; i < vocabulary; ++i) {
            scores[i] = normal(generator_) + slope * static_cast<float>(i);
            if (kind == 1 || kind == 2)
                scores[i] = std::round(scores[i] * 4) / 4;
            if (kind == 3 && below(4) == 0)
                scores[i] = -std::numeric_limits<float>::infinity();
            if (kind == 4 && below(50) == 0)
                scores[i] = static_cast<float>(below(3) - 1) * (below(2) == 0 ? 1e4f : 3e38f) / 3;
        }
        return scores;
    }

    SamplingSettings settings(size_t vocabulary) {
        SamplingSettings chosen;
        chosen.greedy = below(10) == 0;
        if (below(3) == 0)
            chosen.repetition_penalty = 0.5 + 1.5 * uniform();
        if (below(2) == 0)
            chosen.temperature = std::pow(10.0, 1.5 * uniform() - 0.5);
        if (below(3) == 0)
            chosen.top_k = 1 + below(below(2) == 0 ? 30 : static_cast<int64_t>(vocabulary) + 5);
        if (below(3) == 0)
            chosen.top_p = below(8) == 0   ? 0.0
                           : below(4) == 0 ? 0.25 * static_cast<double>(below(5))
                                           : uniform();
        if (below(3) == 0)
            chosen.min_p = below(8) == 0 ? 1.0 : std::pow(10.0, -4 * uniform());
        return chosen;
    }

    std::mt19937_64 generator_;
};

}  // namespace spd::test
