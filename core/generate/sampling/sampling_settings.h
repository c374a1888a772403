#pragma once

#include <cstdint>

namespace spd {

/// How the next token is chosen: Hugging Face's warpers in Hugging Face's order, which is the order of the
/// fields. The defaults sample from the model's own distribution.
struct SamplingSettings {
    bool greedy = false;  ///< the best score after the repetition penalty; the other fields are unused
    double repetition_penalty = 1;  ///< > 0; 1 is off. Scores of ids in the context: s < 0 ? s * p : s / p
    double temperature = 1;         ///< > 0; scores are divided by it
    int64_t top_k = 0;              ///< >= 0; 0 is off. Keeps the k best scores, and all that equal the k-th
    double top_p = 1;               ///< 0 to 1; 1 is off. Keeps the smallest set of best tokens of this mass
    double min_p = 0;  ///< 0 to 1; 0 is off. Keeps tokens of this share of the best one's probability

    /// @throws Error invalid_argument that names the option
    void validate() const;
};

}  // namespace spd
