#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/text_range.h"
#include "core/text/tokenizer.h"

namespace spd {

/// What each token adds to the text, special tokens included; a character that ends with a later token is
/// that one's. All of them joined are the decoded text.
std::vector<std::string> tokenTexts(const Tokenizer& tokenizer, std::span<const int32_t> ids);

/// Turns bytes of a text into its characters (Unicode code points), counted from 0.
class CharacterOffsets {
public:
    /// @param text  valid UTF-8.
    explicit CharacterOffsets(std::string_view text);

    /// The characters that bytes [begin, end) touch; an empty range stays one.
    TextRange of(size_t begin, size_t end) const;

private:
    std::vector<size_t> begins_;  // of each character, and the end of the text
};

}  // namespace spd
