#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spd {

/// Which completions of a corpus are left out before it is trained on. SPD and PSR train on all of them; the
/// others are what SSD's paper and its implementations do. Lengths are code points of the completion.
enum class CorpusFilter {
    none,   ///< keeps all
    ssd,    ///< the paper: drops empty completions and those of a single line
    apple,  ///< apple/ml-ssd: `ssd`, then the shortest tenth of what is left: keeps lengths >= the one at
            ///< index floor(0.1 n) of the n sorted ones
    trl,    ///< TRL: drops empty ones, and those without a line break that are shorter than 10
    mlx,    ///< the MLX port: drops empty ones, and single lines of at most 80
};

std::string_view name(CorpusFilter filter);
/// @throws Error invalid_argument
CorpusFilter parseCorpusFilter(const std::string& text);

/// What was kept, and how many were left out and why.
struct FilteredCorpus {
    std::vector<bool> keeps;  ///< one a completion
    int64_t empty = 0;
    int64_t single_line = 0;
    int64_t shortest = 0;

    int64_t dropped() const { return empty + single_line + shortest; }
    int64_t kept() const { return static_cast<int64_t>(keeps.size()) - dropped(); }
    /// "41 of 48 completions kept (left out: empty 2, single line 5, shortest 0)"
    std::string describe() const;
    /// {"kept", "dropped": {"empty", "single_line", "shortest"}}
    nlohmann::ordered_json toJson() const;
};

/// @param completions  texts, valid UTF-8.
FilteredCorpus filterCorpus(const std::vector<std::string>& completions, CorpusFilter filter);

}  // namespace spd
