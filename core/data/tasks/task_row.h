#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/data/sets/data_set.h"
#include "core/data/tasks/prompt_templates.h"
#include "core/text/text_range.h"

namespace spd {

/// The three capabilities of the paper.
enum class TaskKind {
    math,  ///< GSM8K: question, answer with "#### N"
    code,  ///< MBPP: text, code, test_list
    qa,    ///< MMLU: question, choices, answer (a letter, or the choice's number from 0)
};

std::string_view name(TaskKind task);
/// @throws Error invalid_argument
TaskKind parseTask(const std::string& text);
/// The data set and the number of its rows that the paper trains on.
std::string_view defaultDataSet(TaskKind task);
int64_t defaultTrainingSize(TaskKind task);

/// Which tokens of a program's example are its correctness span (the paper says "assertion-relevant").
enum class CodeSpan {
    first_assertion,  ///< the whole of it
    expected_value,   ///< of the first assertion: the right side of its ==
    all_assertions,   ///< all stand below the program, and each counts
};

struct CodeOptions {
    CodeSpan span = CodeSpan::first_assertion;
    bool tests_in_prompt = false;  ///< the calibration prompt is that of generation, tests included
};

/// "first_assertion", "expected_value" or "all_assertions". @throws Error invalid_argument
CodeSpan parseCodeSpan(const std::string& text);
std::string_view name(CodeSpan span);

/// What the model is to complete. A row that lacks the task's own fields may bring a ready "prompt".
/// @throws Error rowError() when a field is missing or of another type
std::string promptOf(TaskKind task, const nlohmann::ordered_json& fields, const PromptTemplates& templates);

/// A row as an example for calibration.
struct CalibrationText {
    std::string prompt;
    std::string completion;
    std::vector<TextRange> spans;  ///< bytes of the completion; empty where none was found
    std::string missing;           ///< then: what was looked for and not found
};

/// A row with a ready "prompt" brings "completion" and "spans" as calibration_examples.h tells; one without
/// is an example without spans.
/// @throws Error rowError() as promptOf()
CalibrationText calibrationTextOf(TaskKind task, const nlohmann::ordered_json& fields,
                                  const PromptTemplates& templates, const CodeOptions& options);

}  // namespace spd
