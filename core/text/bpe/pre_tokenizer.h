#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/bpe/pattern_scanner.h"
#include "core/text/text_range.h"

namespace spd {

/// Cuts text into the pieces that are merged on their own: a chain of splits, each of which cuts the pieces
/// of the one before and sees nothing around them.
class PreTokenizer {
public:
    enum class Kind { digits_alone, digits_together, gpt2, qwen2, llama3 };

    void add(Kind step) { steps_.push_back(step); }
    const std::vector<Kind>& steps() const { return steps_; }

    /// Calls `take(piece)` for each piece of text[range] from left to right; pieces are not empty and cover
    /// it.
    /// @param text  valid UTF-8.
    template <typename Take>
    void split(std::string_view text, TextRange range, Take&& take) const {
        splitFrom(0, text, range, take);
    }

    /// "Qwen2 pre-tokenizer", "Digits + GPT-2 pre-tokenizer", "no pre-tokenizer".
    std::string description() const;

private:
    /// Depth of the recursion: the number of steps, limited when the file is read.
    template <typename Take>
    void splitFrom(size_t step, std::string_view text, TextRange range, Take& take) const {
        if (step == steps_.size()) {
            if (range.end > range.begin)
                take(range);
            return;
        }
        const std::string_view visible = text.substr(0, range.end);
        for (size_t at = range.begin; at < range.end;) {
            const size_t end = pieceEnd(steps_[step], visible, at);
            splitFrom(step + 1, text, {at, end}, take);
            at = end;
        }
    }
    static size_t pieceEnd(Kind step, std::string_view text, size_t at);

    std::vector<Kind> steps_;
};

}  // namespace spd
