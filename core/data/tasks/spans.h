#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/text/text_range.h"

namespace spd {

/// The final number of a GSM8K answer: after the last "####", blanks and an optional "$" left aside, an
/// optional minus, digits with thousands commas, an optional decimal part. Bytes of `answer`; nothing where
/// there is no such number.
std::optional<TextRange> answerNumber(std::string_view answer);

/// The number as it is compared: without its commas. Empty where there is none.
std::string answerNumberText(std::string_view answer);

/// True for a text that begins with the word `assert`.
bool isAssertion(std::string_view statement);

/// The right side of a Python assertion that compares by ==, `8` of "assert f(2) == 8", without
/// a message or comment behind it, without parentheses that only enclose it; blanks trimmed. Bytes of
/// `assertion`. Nothing for everything else: no or another comparison, several, and/or/not.
std::optional<TextRange> expectedValue(std::string_view assertion);

}  // namespace spd
