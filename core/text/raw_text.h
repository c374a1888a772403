#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace spd {

/// The ids of a bare prompt: with what the tokenizer's post-processor adds; like lm-eval, no second BOS where
/// the text begins with one.
std::vector<int32_t> encodePrompt(const Tokenizer& tokenizer, std::string_view text);

/// A text that is learned from, prompt and completion in one: as encodePrompt(), but with nothing after its
/// last character (no EOS that the post-processor would add).
Encoding encodeWholeText(const Tokenizer& tokenizer, std::string_view text);

}  // namespace spd
