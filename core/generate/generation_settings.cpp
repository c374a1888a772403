#include "core/generate/generation_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/text/unicode/utf8.h"

namespace spd {

namespace {

template <class Number>
void require(bool holds, const char* option, const char* rule, Number value) {
    if (!holds)
        throw Error(ErrorKind::invalid_argument, fmt::format("{}: must be {}, not {}", option, rule, value));
}

/// Positions are added to it.
constexpr int64_t kMostNewTokens = std::numeric_limits<int32_t>::max();

/// In the range where a float has all its digits; NaN is not.
bool isNormalFloat(double value) {
    return value >= double{std::numeric_limits<float>::min()} &&
           value <= double{std::numeric_limits<float>::max()};
}

}  // namespace

void SamplingSettings::validate() const {
    require(isNormalFloat(repetition_penalty), "repetition_penalty", "a number above 0", repetition_penalty);
    require(isNormalFloat(temperature), "temperature", "a number above 0 (greedy is an option of its own)",
            temperature);
    require(top_k >= 0, "top_k", "0 (off) or more", top_k);
    require(top_p >= 0 && top_p <= 1, "top_p", "from 0 to 1 (off)", top_p);
    require(min_p >= 0 && min_p <= 1, "min_p", "from 0 (off) to 1", min_p);
}

void GenerationSettings::validate() const {
    require(max_new_tokens >= 1 && max_new_tokens <= kMostNewTokens, "max_new_tokens", "from 1 to 2147483647",
            max_new_tokens);
    require(batch >= 1, "batch", "1 or more", batch);
    if (std::any_of(stop.begin(), stop.end(), [](const std::string& text) { return text.empty(); }))
        throw Error(ErrorKind::invalid_argument, "stop: a stop string may not be empty");
    for (const std::string& text : stop)
        if (unicode::validPrefix(text) != text.size())
            throw Error(ErrorKind::invalid_argument,
                        "stop: " + printable(text, 80) + " is not UTF-8: no completion can contain it");
    sampling.validate();
}

}  // namespace spd
