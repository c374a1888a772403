#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/data/calibration_examples.h"
#include "core/data/tasks/task_row.h"

namespace spd {

/// A prompt of a data set's row, and what tells whether another is the same.
struct TaskPrompt {
    PromptId id;
    bool own_id = true;  ///< false: `id` is only a line's number and tells nothing about other files
    std::string prompt;  ///< of generation, by the task's template
};

/// The rows that a task is learned from.
struct TaskSplit {
    TaskKind task = TaskKind::math;
    DataSet set;
    std::vector<std::string> prompts;  ///< of generation, one a row
};

/// @param name  a shipped set or a JSON Lines file (openDataSet()); empty: the task's own.
/// @throws Error as openDataSet(); file_format that lists every row without a prompt
TaskSplit openTaskSplit(TaskKind task, const std::string& name, const PromptTemplates& templates);

struct LeftOutRow {
    PromptId id;
    std::string reason;
};

/// The examples that gradients are taken on.
struct CalibrationSet {
    std::vector<CalibrationExample> examples;  ///< n, in the order of the permutation
    std::vector<size_t> rows;                  ///< of each example, in the split
    std::vector<LeftOutRow> left_out;          ///< met before n were found: no span, too long for the model
    nlohmann::ordered_json record;  ///< data set, templates, seed, sizes and hashes of what was used
};

/// The first n rows of permutation(rows, seed, kTaskRows) that have a correctness span and fit the model.
/// @throws Error invalid_argument (n < 1, more than there are rows), file_format (fewer than n are usable:
/// how many, and in details() why each was left out)
CalibrationSet selectCalibration(const TaskSplit& split, int64_t n, uint64_t seed, const CodeOptions& options,
                                 const PromptTemplates& templates, const Tokenizer& tokenizer,
                                 const ExampleLimits& limits);

/// The prompts that a corpus is generated for.
struct TrainingPrompts {
    std::vector<TaskPrompt> prompts;  ///< in the order of the split's rows
    /// Calibration examples whose prompt (blanks normalised) is among them.
    int64_t overlap = 0;
    nlohmann::ordered_json record;
};

/// The first n rows of permutation(rows, seed, kTaskRows): the one that the calibration examples come from.
/// @param n  0: the paper's number, or all rows where there are fewer.
/// @param calibration  to count the overlap, or, with `disjoint`, to leave out rows that ask the same.
/// @throws Error invalid_argument (n < 0, more than there are rows)
TrainingPrompts selectTraining(const TaskSplit& split, int64_t n, uint64_t seed,
                               const CalibrationSet& calibration, bool disjoint,
                               const PromptTemplates& templates);

/// As a prompts file has them, a line each (core/data/prompts.h).
std::string promptLines(const std::vector<TaskPrompt>& prompts);

/// The prompts of the calibration examples' rows, for refuseLeaks().
std::vector<TaskPrompt> promptsOf(const TaskSplit& split, const CalibrationSet& calibration);

/// SHA-256 of the prompt with its blanks normalised: equal for prompts that ask the same.
std::string promptKey(const std::string& prompt);

/// Nothing that is learned from may be asked in the evaluation.
/// @param used_name, evaluation_name  for the message: "training prompts of gsm8k/train", "gsm8k".
/// @throws Error invalid_argument when an id (that a file gave) or a promptKey() is in both: how many, the
/// first by name, each in details()
void refuseLeaks(const std::vector<TaskPrompt>& used, const std::string& used_name,
                 const std::vector<TaskPrompt>& evaluation, const std::string& evaluation_name);

}  // namespace spd
