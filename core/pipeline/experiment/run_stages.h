#pragma once

#include "core/experiment/run_inputs.h"
#include "core/experiment/run_plan.h"
#include "core/experiment/stage_inputs.h"
#include "core/generate/generation_settings.h"
#include "core/pipeline/experiment/run_journal.h"
#include "core/pipeline/resident_model.h"
#include "core/pipeline/run_experiment.h"
#include "core/subspace/projection.h"

namespace spd {

/// [projection] of an experiment file, whose texts have been checked for their form.
ProjectionSettings projectionSettingsOf(const Experiment::Projection& projection);

/// config.json, weights and tokenizer of an opened checkpoint.
ModelFacts modelFactsOf(const Session& session);

/// What the stages of a run work with; everything outlives them.
struct RunContext {
    const PlannedRun& run;
    const RunInputs& inputs;
    const ModelFacts& facts;
    ResidentModel& model;
    RunJournal& journal;
    const JobContext& job;
    const ExperimentRequest& request;
};

/// How the run's method draws tokens.
SamplingSettings samplingOfRun(const PlannedRun& run);

/// The caller's context, with the run's name before the phase. @param context  outlives it.
JobContext stageJob(const RunContext& context, const std::string& stage);

/// Does the stages that the run needs, one after the other, and fills in what they found.
/// @throws Error; Cancelled
void runStages(const RunContext& context, RunOutcome& outcome);

}  // namespace spd
