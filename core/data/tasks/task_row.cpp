#include "core/data/tasks/task_row.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "core/data/calibration_examples.h"
#include "core/data/json_lines.h"
#include "core/data/sets/normalized_text.h"
#include "core/data/tasks/spans.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

constexpr std::array<std::pair<TaskKind, std::string_view>, 3> kTasks = {
    {{TaskKind::math, "math"}, {TaskKind::code, "code"}, {TaskKind::qa, "qa"}}};
constexpr std::array<std::pair<CodeSpan, std::string_view>, 3> kCodeSpans = {
    {{CodeSpan::first_assertion, "first_assertion"},
     {CodeSpan::expected_value, "expected_value"},
     {CodeSpan::all_assertions, "all_assertions"}}};

Strings requireStrings(const Json& fields, std::string_view field) {
    const Json& listed = requireField(fields, field);
    if (!listed.is_array() || listed.empty())
        throw rowError(fmt::format("\"{}\" is to be a list of texts, not empty", field));
    Strings texts;
    for (const Json& text : listed) {
        if (!text.is_string())
            throw rowError(fmt::format("\"{}\" is to hold texts, this is {}", field, text.type_name()));
        texts.push_back(text.get<std::string>());
    }
    return texts;
}

std::string joined(const Strings& texts) {
    std::string all;
    for (const std::string& text : texts)
        all += (all.empty() ? "" : "\n") + text;
    return all;
}

/// The row brings its own prompt instead of the task's fields.
bool isReady(TaskKind task, const Json& fields) {
    if (task == TaskKind::code && fields.contains("test_list"))
        return false;
    return fields.contains("prompt") && !fields.contains(task == TaskKind::code ? "text" : "question");
}

/// The sanitized MBPP calls it `prompt`.
const std::string& programText(const Json& fields) {
    return requireString(fields, fields.contains("text") ? "text" : "prompt");
}

std::string letterOf(size_t choice) {
    return {static_cast<char>('A' + choice)};
}

std::string qaPrompt(const Json& fields, const PromptTemplates& templates) {
    const Strings choices = requireStrings(fields, "choices");
    if (choices.size() > 26)
        throw rowError("\"choices\" are more than the 26 letters");
    Strings lines;
    for (const std::string& choice : choices)
        lines.push_back(
            templates.fill("qa.choice", {{"letter", letterOf(lines.size())}, {"choice", choice}}).text);
    return templates
        .fill("qa.prompt",
              {{"question", trimBlanks(requireString(fields, "question"))}, {"choices", joined(lines)}})
        .text;
}

/// The answer's letter; empty when it is none of the choices.
std::string qaLetter(const Json& fields) {
    const size_t choices = requireStrings(fields, "choices").size();
    const Json& answer = requireField(fields, "answer");
    if (isInt64(answer)) {
        const auto number = answer.get<int64_t>();
        return number >= 0 && number < static_cast<int64_t>(choices) ? letterOf(static_cast<size_t>(number))
                                                                     : "";
    }
    const std::string letter(trimBlanks(requireString(fields, "answer")));
    const bool known = letter.size() == 1 && letter[0] >= 'A' && letter[0] < static_cast<char>('A' + choices);
    return known ? letter : "";
}

CalibrationText mathText(const Json& fields, const PromptTemplates& templates) {
    const std::string& answer = requireString(fields, "answer");
    const FilledTemplate filled = templates.fill("math.completion", {{"answer", answer}});
    CalibrationText text = {.prompt = promptOf(TaskKind::math, fields, templates),
                            .completion = filled.text,
                            .spans = {},
                            .missing = ""};
    const size_t offset = filled.fields.at("answer").begin;
    if (const std::optional<TextRange> number = answerNumber(answer))
        text.spans.push_back({offset + number->begin, offset + number->end});
    else
        text.missing = "no number after ####";
    return text;
}

CalibrationText qaText(const Json& fields, const PromptTemplates& templates) {
    const std::string letter = qaLetter(fields);
    const FilledTemplate filled = templates.fill("qa.completion", {{"answer", letter}});
    CalibrationText text = {
        .prompt = qaPrompt(fields, templates), .completion = filled.text, .spans = {}, .missing = ""};
    if (letter.empty())
        text.missing = "the answer is the letter of no choice";
    else
        text.spans.push_back(filled.fields.at("answer"));
    return text;
}

/// The assertions that stand below the program, and the spans of those that count, in their joined text.
struct Assertions {
    std::string text;
    std::vector<TextRange> spans;
};

Assertions assertionsOf(const Strings& tests, CodeSpan wanted) {
    Assertions assertions;
    for (const std::string& test : tests) {
        const std::string_view assertion = trimBlanks(test);
        if (!isAssertion(assertion))
            continue;
        if (!assertions.text.empty())
            assertions.text += '\n';
        const size_t offset = assertions.text.size();
        assertions.text += assertion;
        std::optional<TextRange> span = TextRange{0, assertion.size()};
        if (wanted == CodeSpan::expected_value)
            span = expectedValue(assertion);
        if (span)
            assertions.spans.push_back({offset + span->begin, offset + span->end});
        if (wanted != CodeSpan::all_assertions)
            break;
    }
    return assertions;
}

CalibrationText codeText(const Json& fields, const PromptTemplates& templates, const CodeOptions& options) {
    const Assertions assertions = assertionsOf(requireStrings(fields, "test_list"), options.span);
    const FilledTemplate filled = templates.fill(
        "code.completion", {{"code", requireString(fields, "code")}, {"assertions", assertions.text}});
    CalibrationText text = {.prompt = promptOf(TaskKind::code, fields, templates),
                            .completion = filled.text,
                            .spans = assertions.spans,
                            .missing = ""};
    if (!options.tests_in_prompt)
        text.prompt = templates.fill("code.calibration_prompt", {{"text", programText(fields)}}).text;
    for (TextRange& span : text.spans) {
        span.begin += filled.fields.at("assertions").begin;
        span.end += filled.fields.at("assertions").begin;
    }
    if (text.spans.empty())
        text.missing = assertions.text.empty() ? "no assertion among the tests"
                                               : "the first assertion is no comparison by ==";
    return text;
}

CalibrationText readyText(const Json& fields) {
    CalibrationText text = {.prompt = requireString(fields, "prompt"),
                            .completion = "",
                            .spans = {},
                            .missing = "the row has no \"completion\" and \"spans\""};
    if (!fields.contains("completion") || !fields.contains("spans"))
        return text;
    text.completion = requireString(fields, "completion");
    text.spans = readSpans(fields, text.completion);
    text.missing.clear();
    return text;
}

}  // namespace

std::string_view name(TaskKind task) {
    return kTasks[static_cast<size_t>(task)].second;
}

TaskKind parseTask(const std::string& text) {
    for (const auto& [task, word] : kTasks)
        if (word == text)
            return task;
    throw Error(ErrorKind::invalid_argument,
                "no task is called " + printable(text, 80) + ": there are math, code and qa");
}

std::string_view defaultDataSet(TaskKind task) {
    return task == TaskKind::math ? "gsm8k/train" : task == TaskKind::code ? "mbpp/train" : "mmlu/train";
}

int64_t defaultTrainingSize(TaskKind task) {
    return task == TaskKind::math ? 7473 : task == TaskKind::code ? 464 : 2000;
}

CodeSpan parseCodeSpan(const std::string& text) {
    for (const auto& [span, word] : kCodeSpans)
        if (word == text)
            return span;
    throw Error(ErrorKind::invalid_argument,
                "no span of code is called " + printable(text, 80) +
                    ": there are first_assertion, expected_value and all_assertions");
}

std::string_view name(CodeSpan span) {
    return kCodeSpans[static_cast<size_t>(span)].second;
}

std::string promptOf(TaskKind task, const Json& fields, const PromptTemplates& templates) {
    if (isReady(task, fields))
        return requireString(fields, "prompt");
    if (task == TaskKind::qa)
        return qaPrompt(fields, templates);
    if (task == TaskKind::math)
        return templates.fill("math.prompt", {{"question", requireString(fields, "question")}}).text;
    return templates
        .fill("code.prompt",
              {{"text", programText(fields)}, {"tests", joined(requireStrings(fields, "test_list"))}})
        .text;
}

CalibrationText calibrationTextOf(TaskKind task, const Json& fields, const PromptTemplates& templates,
                                  const CodeOptions& options) {
    if (isReady(task, fields))
        return readyText(fields);
    if (task == TaskKind::math)
        return mathText(fields, templates);
    return task == TaskKind::qa ? qaText(fields, templates) : codeText(fields, templates, options);
}

}  // namespace spd
