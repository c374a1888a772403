#pragma once

#include <string>

#include "core/data/tasks/prompt_templates.h"
#include "core/experiment/forecast/forecast.h"
#include "core/experiment/run_plan.h"
#include "core/io/model_config.h"
#include "core/text/tokenizer.h"

namespace spd {

/// Counts what a run will read: training prompts, calibration examples, questions.
/// @param tokenizer  of the model, or nullptr where the model is not on this machine: tokens are then
/// estimated, 3.5
///     characters each.
/// @throws Error as openTaskSplit(), selectCalibration(), selectTraining(), evaluationQuestions()
DataSizes countData(const PlannedRun& run, const PromptTemplates& templates, const Tokenizer* tokenizer,
                    const ModelConfig& config);

}  // namespace spd
