#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/data/tasks/task_data.h"

namespace spd {

struct EvaluationQuestion {
    TaskPrompt task;   ///< id and prompt by the task's template (protocol `paper`)
    std::string gold;  ///< gsm8k, svamp: the number without commas; mmlu: the letter; mbpp: empty
    nlohmann::ordered_json fields;  ///< the row, for scorers that need more (MBPP's tests)
};

/// Held-out questions of a benchmark.
struct EvaluationQuestions {
    std::string task;  ///< "gsm8k"
    std::vector<EvaluationQuestion> questions;
    nlohmann::ordered_json record;  ///< data set, templates, size and hash of what is asked
};

/// gsm8k (gsm8k/test), svamp (svamp/all), mbpp (mbpp/sanitized-test) or mmlu (mmlu/test). A limit takes the
/// first of permutation(rows, 42, kEvaluationRows), whatever the run's seed, so that all runs answer the same
/// questions, and 20 of them lie in 100; they come in the order of the rows.
/// @param limit  0: the paper's size (100, 100, 257, 200); more than there are rows: all of them.
/// @throws Error invalid_argument (no such task, a negative limit), as openDataSet()
EvaluationQuestions evaluationQuestions(const std::string& task, int64_t limit,
                                        const PromptTemplates& templates);

/// Their prompts, for refuseLeaks().
std::vector<TaskPrompt> promptsOf(const EvaluationQuestions& questions);

}  // namespace spd
