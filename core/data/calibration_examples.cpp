#include "core/data/calibration_examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/data/json_lines.h"
#include "core/text/raw_text.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

void checkLength(const CalibrationExample& example, const ExampleLimits& limits) {
    const auto length = static_cast<int64_t>(example.input_ids.size());
    if (length > limits.positions)
        throw rowError(
            fmt::format("the example has {} tokens, the model {} positions", length, limits.positions));
}

/// Byte offsets of all characters of valid UTF-8, and of its end.
std::vector<size_t> characterBorders(std::string_view text) {
    std::vector<size_t> borders;
    for (size_t i = 0; i < text.size(); ++i)
        if (!unicode::isContinuation(text[i]))
            borders.push_back(i);
    borders.push_back(text.size());
    return borders;
}

TextRange readSpan(const Json& span, const std::vector<size_t>& borders) {
    if (!span.is_array() || span.size() != 2 || !isInt64(span[0]) || !isInt64(span[1]))
        throw rowError("\"spans\" is to hold pairs of integers [from, to)");
    const auto characters = static_cast<int64_t>(borders.size()) - 1;
    const auto from = span[0].get<int64_t>();
    const auto to = span[1].get<int64_t>();
    if (from < 0 || to > characters)
        throw rowError(fmt::format("span [{}, {}) is outside the completion, which has {} {}", from, to,
                                   characters, characters == 1 ? "character" : "characters"));
    if (from >= to)
        throw rowError(fmt::format("span [{}, {}) is empty", from, to));
    return {borders[static_cast<size_t>(from)], borders[static_cast<size_t>(to)]};
}

CalibrationExample readText(PromptId id, const Json& row, const Tokenizer& tokenizer,
                            const ExampleLimits& limits) {
    const std::string& prompt = requireString(row, "prompt");
    const std::string& completion = requireString(row, "completion");
    return makeCalibrationExample(std::move(id), prompt, completion, readSpans(row, completion), tokenizer,
                                  limits);
}

CalibrationExample readTokens(PromptId id, const Json& row, const ExampleLimits& limits) {
    CalibrationExample example;
    example.id = std::move(id);
    for (const int64_t token : requireIntegers(row, "input_ids")) {
        if (token < 0 || token >= limits.vocabulary)
            throw rowError(fmt::format("\"input_ids\": {} is outside the model's embedding of {} rows", token,
                                       limits.vocabulary));
        example.input_ids.push_back(static_cast<int32_t>(token));
    }
    checkLength(example, limits);
    example.target_positions = requireIntegers(row, "target_positions");
    if (example.target_positions.empty())
        throw rowError("\"target_positions\" is empty: an example without targets has no loss");
    std::sort(example.target_positions.begin(), example.target_positions.end());
    const auto twice = std::adjacent_find(example.target_positions.begin(), example.target_positions.end());
    if (twice != example.target_positions.end())
        throw rowError(fmt::format("\"target_positions\": {} is there twice", *twice));
    const auto length = static_cast<int64_t>(example.input_ids.size());
    if (example.target_positions.front() < 0 || example.target_positions.back() >= length)
        throw rowError(fmt::format("\"target_positions\": {} is outside the {} tokens",
                                   example.target_positions.front() < 0 ? example.target_positions.front()
                                                                        : example.target_positions.back(),
                                   length));
    if (example.target_positions.front() == 0)
        throw rowError("\"target_positions\": 0 is the first token, which nothing predicts");
    return example;
}

}  // namespace

std::vector<TextRange> readSpans(const Json& row, const std::string& completion) {
    if (completion.empty())
        throw rowError("\"completion\" is empty");
    const Json& listed = requireField(row, "spans");
    if (!listed.is_array())
        throw rowError("\"spans\" is to be a list of pairs [from, to)");
    if (listed.empty())
        throw rowError("\"spans\" is empty: an example without a correctness span has no loss");
    const std::vector<size_t> borders = characterBorders(completion);
    std::vector<TextRange> spans;
    for (const Json& span : listed)
        spans.push_back(readSpan(span, borders));
    return spans;
}

CalibrationExample makeCalibrationExample(PromptId id, std::string_view prompt, std::string_view completion,
                                          std::span<const TextRange> spans, const Tokenizer& tokenizer,
                                          const ExampleLimits& limits) {
    std::string joined(prompt);
    joined += completion;
    Encoding encoding = encodeWholeText(tokenizer, joined);
    CalibrationExample example;
    example.id = std::move(id);
    example.input_ids = std::move(encoding.ids);
    checkLength(example, limits);
    example.prompt_tokens = static_cast<int64_t>(example.input_ids.size());
    for (size_t t = 0; t < example.input_ids.size(); ++t) {
        if (const int32_t token = example.input_ids[t]; token >= limits.vocabulary)
            throw rowError(
                fmt::format("token {} of the tokenizer has no row in the model's embedding of {} "
                            "rows",
                            token, limits.vocabulary));
        const auto begin = static_cast<size_t>(encoding.ranges[t].begin);
        const auto end = static_cast<size_t>(encoding.ranges[t].end);
        if (end > prompt.size())
            example.prompt_tokens = std::min(example.prompt_tokens, static_cast<int64_t>(t));
        const bool meets = std::any_of(spans.begin(), spans.end(), [&](const TextRange& span) {
            return begin < prompt.size() + span.end && end > prompt.size() + span.begin;
        });
        if (meets && begin < end)
            example.target_positions.push_back(static_cast<int64_t>(t));
    }
    if (example.target_positions.empty())
        throw rowError("no token holds a character of the spans");
    if (example.target_positions.front() == 0)
        throw rowError("the span holds the first token, which nothing predicts (the tokenizer adds no BOS)");
    return example;
}

CalibrationExample readCalibrationExample(int64_t line, const Json& row, const Tokenizer& tokenizer,
                                          const ExampleLimits& limits) {
    PromptId id = readPromptId(row, line);
    const auto hasOneOf = [&](std::initializer_list<const char*> fields) {
        return std::any_of(fields.begin(), fields.end(),
                           [&](const char* field) { return findField(row, field) != nullptr; });
    };
    const bool tokens = hasOneOf({"input_ids", "target_positions"});
    const bool text = hasOneOf({"prompt", "completion", "spans"});
    if (tokens && text)
        throw rowError(R"(fields of both forms; {"prompt","completion","spans"} or )"
                       R"({"input_ids","target_positions"} is wanted)");
    return tokens ? readTokens(std::move(id), row, limits) : readText(std::move(id), row, tokenizer, limits);
}

std::vector<CalibrationExample> readCalibrationExamples(const std::filesystem::path& path,
                                                        const Tokenizer& tokenizer,
                                                        const ExampleLimits& limits) {
    std::vector<CalibrationExample> examples;
    KnownIds known;
    readJsonLines(path, [&](int64_t line, const Json& row) {
        CalibrationExample example = readCalibrationExample(line, row, tokenizer, limits);
        known.add(example.id, line);
        examples.push_back(std::move(example));
    });
    return examples;
}

}  // namespace spd
