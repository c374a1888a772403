#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/data/curation/corpus_filter.h"
#include "core/experiment/run_plan.h"

namespace spd {

/// What tells a checkpoint from another.
struct ModelFacts {
    std::string id;
    std::string revision;
    std::string config_sha256;
    std::string weights_fingerprint;
    std::string tokenizer_sha256;
};

/// How a run's method draws tokens for its corpus: [generation], and for ssd the three of its own.
struct MethodSampling {
    bool greedy = false;
    double temperature = 1;
    int64_t top_k = 0;
    double top_p = 1;
    double min_p = 0;
    double repetition_penalty = 1;
};
MethodSampling samplingOf(const PlannedRun& run);

/// What is left out of the run's corpus before it is trained on.
CorpusFilter corpusFilterOf(const PlannedRun& run);

// What the outputs of each stage depend on: everything that reaches their bytes, nothing that only reaches
// the speed. Equal objects mean equal outputs; where the model came from (id, path) is not in them.

/// @param data  CalibrationSet::record
nlohmann::ordered_json calibrateInputs(const ModelFacts& model, const PlannedRun& run,
                                       const nlohmann::ordered_json& data);
/// @param prompts  TrainingPrompts::record.   @param subspace_sha256  empty: no projection
nlohmann::ordered_json generateInputs(const ModelFacts& model, const PlannedRun& run,
                                      const nlohmann::ordered_json& prompts,
                                      const std::string& subspace_sha256);
nlohmann::ordered_json trainInputs(const ModelFacts& model, const PlannedRun& run,
                                   const std::string& corpus_sha256);
/// @param questions  EvaluationQuestions::record
/// @param adapter_sha256  of adapter_model.safetensors; empty: no adapter
/// @param subspace_sha256  of what projects while the answers are made; empty: nothing does
nlohmann::ordered_json evaluateInputs(const ModelFacts& model, const PlannedRun& run,
                                      const Experiment::Evaluation& evaluation,
                                      const nlohmann::ordered_json& questions,
                                      const std::string& adapter_sha256, const std::string& subspace_sha256);

}  // namespace spd
