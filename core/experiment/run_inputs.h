#pragma once

#include <string>
#include <vector>

#include "core/data/tasks/evaluation_questions.h"
#include "core/data/tasks/prompt_templates.h"
#include "core/data/tasks/task_data.h"
#include "core/experiment/run_plan.h"
#include "core/io/model_config.h"
#include "core/text/tokenizer.h"

namespace spd {

/// The data of a run, chosen and checked.
struct RunInputs {
    CalibrationSet calibration;                  ///< empty where the run neither measures nor trains
    TrainingPrompts training;                    ///< empty where the run does not train
    std::vector<EvaluationQuestions> questions;  ///< one an evaluation
};

/// Reads the data sets of a run and refuses what would spoil it: questions that are trained or calibrated on,
/// benchmarks that this version cannot score.
/// @throws Error invalid_argument (leaks, numbers of rows, a benchmark without a scorer), as openTaskSplit(),
/// selectCalibration(), selectTraining(), evaluationQuestions()
RunInputs readRunInputs(const PlannedRun& run, const PromptTemplates& templates, const Tokenizer& tokenizer,
                        const ModelConfig& config);

}  // namespace spd
