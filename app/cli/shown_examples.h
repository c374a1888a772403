#pragma once

#include <span>
#include <string>

#include "core/data/calibration_examples.h"

namespace spd::cli {

/// How the tokens of a correctness span are told from the others.
enum class SpanMarks {
    brackets,  ///< each token in white square brackets: 4 as U+27E6 4 U+27E7
    colours,   ///< each token on a coloured ground, neighbours in two colours (ANSI escapes)
};

/// Colours where standard output is a terminal that takes them and NO_COLOR is not set.
SpanMarks spanMarksOfOutput();

/// The text of an example with its span marked, token by token, under a line with its id and sizes. Line ends
/// (LF, CRLF) stay; other control characters and what turns the direction of writing are shown as \xNN. A
/// character that is spread over several tokens is shown, and marked, with the last of them.
/// @param number  counted from 1
std::string shownExample(size_t number, const CalibrationExample& example, const Tokenizer& tokenizer,
                         SpanMarks marks);

/// {"id","tokens","prompt_tokens" (null where unknown),"text","targets":[{"position","id","text"}]}
nlohmann::ordered_json exampleJson(const CalibrationExample& example, const Tokenizer& tokenizer);

}  // namespace spd::cli
