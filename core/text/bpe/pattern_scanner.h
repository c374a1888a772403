#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace spd {

/// The patterns that pre-tokenizers of the supported families split by. A pattern from a file is never run:
/// it is recognised by its text, and a hand-written scanner does what the regular expression engine would do.
enum class SplitPattern {
    gpt2,    ///< ByteLevel's own (GPT-2, SmolLM2)
    qwen2,   ///< Qwen2, 2.5 and 3: each digit alone
    llama3,  ///< Llama 3: up to three digits together
};

/// The pattern whose text is `regex`, or nullopt.
std::optional<SplitPattern> recognisePattern(std::string_view regex);

/// End of the match of `pattern` that begins at `at`; every position has one. Time is linear in the match and
/// in the run of blanks that begins there.
/// @param text  valid UTF-8; nothing before `at` or after the end of `text` is looked at.
size_t matchEnd(SplitPattern pattern, std::string_view text, size_t at);

}  // namespace spd
