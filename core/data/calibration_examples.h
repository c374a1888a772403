#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/prompts.h"
#include "core/text/text_range.h"
#include "core/text/tokenizer.h"

namespace spd {

/// One example of the calibration set as the model sees it (paper 3.2, A.1).
struct CalibrationExample {
    static constexpr int64_t kUnknown = -1;

    PromptId id;
    std::vector<int32_t> input_ids;  ///< T tokens, prompt and completion in one, with BOS where there is one
    /// The correctness span S: positions t of the tokens whose prediction counts, each from the logits at
    /// t - 1. Ascending, unique, 1 <= t < T, at least one.
    std::vector<int64_t> target_positions;
    /// Position of the first token that holds a character of the completion, BOS counted: the targets of
    /// `full_completion` are max(1, prompt_tokens) to T - 1. kUnknown where the example came as ids.
    int64_t prompt_tokens = kUnknown;
};

/// What the model can take.
struct ExampleLimits {
    int64_t positions = 0;   ///< longest sequence
    int64_t vocabulary = 0;  ///< rows of the embedding
};

/// Joins prompt and completion, tokenises them once (encodeWholeText()), and finds the span: a token belongs
/// to S when the characters that it came from meet a span.
/// @param completion  valid UTF-8, not empty.
/// @param spans  bytes of the completion on character borders, none empty, at least one; may overlap.
/// @throws Error rowError() when the example is longer than the model's positions, a token has no row in the
/// embedding, or a target is the first token, which nothing predicts
CalibrationExample makeCalibrationExample(PromptId id, std::string_view prompt, std::string_view completion,
                                          std::span<const TextRange> spans, const Tokenizer& tokenizer,
                                          const ExampleLimits& limits);

/// The field "spans" of a row, pairs [from, to) in code points of the completion, as bytes of it.
/// @throws Error rowError() for what readCalibrationExamples() refuses
std::vector<TextRange> readSpans(const nlohmann::ordered_json& row, const std::string& completion);

/// One row of what readCalibrationExamples() reads. @param line  its id where it has none.
/// @throws Error rowError()
CalibrationExample readCalibrationExample(int64_t line, const nlohmann::ordered_json& row,
                                          const Tokenizer& tokenizer, const ExampleLimits& limits);

/// Reads lines {"prompt","completion","spans":[[from,to),...]}, in Unicode code points of the completion,
/// 0-based and half-open, or {"input_ids":[...],"target_positions":[...]}, ids as they are (nothing is
/// added). A missing "id" is the line's number from 0; equal ids are refused, and so is a line with fields of
/// both forms. Other fields are left alone.
/// @throws Error as readJsonLines()
std::vector<CalibrationExample> readCalibrationExamples(const std::filesystem::path& path,
                                                        const Tokenizer& tokenizer,
                                                        const ExampleLimits& limits);

}  // namespace spd
