#pragma once

#include <optional>
#include <string_view>

#include "core/config/experiment.h"
#include "core/generate/sampling/sampling_settings.h"

namespace spd {

/// How a method samples its corpus (paper 4.1; SSD's numbers are those of arXiv 2604.01193, Table 3): psr and
/// spd from the model's own distribution, ssd at temperature 1.6 within the 20 likeliest tokens and 0.8 of
/// the mass. Only spd projects.
SamplingSettings samplingOf(Method method);

/// Sampling settings that somebody wrote down; what is missing comes from where the sampling starts.
struct GivenSampling {
    bool greedy = false;
    std::optional<double> temperature, top_p, min_p, repetition_penalty;
    std::optional<int64_t> top_k;

    /// Whoever says how to draw wants to draw: a start that is greedy is so no more, unless `greedy`.
    SamplingSettings over(SamplingSettings start) const;
};

/// "psr", "ssd" or "spd": the methods that sample a corpus; nothing for other texts.
std::optional<Method> parseSamplingMethod(std::string_view text);

/// Only spd projects. @throws Error invalid_argument when method and projection do not go together
void requireMethodFits(Method method, bool projects);

}  // namespace spd
