#pragma once

#include <filesystem>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/data/tasks/evaluation_questions.h"
#include "core/evaluate/results.h"
#include "core/generate/generation_settings.h"
#include "core/pipeline/open_intervention.h"
#include "core/pipeline/resident_model.h"

namespace spd {

/// Questions, and how the model answers them.
struct EvaluateRequest {
    EvaluationQuestions questions;
    std::filesystem::path out;  ///< folder; is there
    GenerationSettings settings;
    InterventionRequest intervention;
    bool chat = false;
    DType dtype = DType::bfloat16;
    bool overwrite = false;  ///< answers of other settings that lie in `out` are replaced
};

/// Answers every question, scores the answers, and measures how far the intervention moves the model on them
/// (core/pipeline/divergence.h; nothing where none was asked for). In `out`: questions.jsonl,
/// completions.jsonl (resumable, core/pipeline/generate_corpus.h), samples_TASK.jsonl, results.json.
/// @throws Error as generateCorpus() and divergenceFromBase(); Cancelled
EvalResult evaluateQuestions(const EvaluateRequest& request, ResidentModel& model, const JobContext& context);

}  // namespace spd
