#include "core/experiment/stage_inputs.h"

#include <initializer_list>
#include <string_view>

#include "core/experiment/forecast/forecast.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

Json modelInputs(const ModelFacts& model, const std::string& dtype) {
    return {{"config_sha256", model.config_sha256},
            {"weights_fingerprint", model.weights_fingerprint},
            {"tokenizer_sha256", model.tokenizer_sha256},
            {"dtype", dtype}};
}

/// The settings of a section, as settingsOf() names and prints them.
Json settingsIn(const Experiment& experiment, std::string_view section,
                std::initializer_list<std::string_view> without = {}) {
    Json settings = Json::object();
    for (const auto& [key, value] : settingsOf(experiment)) {
        if (!key.starts_with(section))
            continue;
        const std::string name = key.substr(section.size());
        bool is_left_out = false;
        for (std::string_view other : without)
            is_left_out |= name == other;
        if (!is_left_out)
            settings[name] = value;
    }
    return settings;
}

Json samplingInputs(const PlannedRun& run) {
    const MethodSampling sampling = samplingOf(run);
    return {{"greedy", sampling.greedy}, {"temperature", sampling.temperature},
            {"top_k", sampling.top_k},   {"top_p", sampling.top_p},
            {"min_p", sampling.min_p},   {"repetition_penalty", sampling.repetition_penalty}};
}

Json projectionInputs(const PlannedRun& run, const std::string& subspace_sha256) {
    if (subspace_sha256.empty())
        return nullptr;
    Json inputs = {{"subspace_sha256", subspace_sha256},
                   {"settings", settingsIn(run.experiment, "projection.")}};
    if (!run.ranks_sha256.empty())
        inputs["ranks_sha256"] = run.ranks_sha256;
    return inputs;
}

}  // namespace

MethodSampling samplingOf(const PlannedRun& run) {
    const Experiment::Generation& generation = run.experiment.generation;
    MethodSampling sampling{generation.greedy, generation.temperature, generation.top_k,
                            generation.top_p,  generation.min_p,       generation.repetition_penalty};
    if (run.method == Method::ssd) {
        sampling.greedy = false;
        sampling.temperature = generation.ssd_temperature;
        sampling.top_k = generation.ssd_top_k;
        sampling.top_p = generation.ssd_top_p;
        sampling.min_p = 0;
    }
    return sampling;
}

CorpusFilter corpusFilterOf(const PlannedRun& run) {
    const Experiment::Corpus& corpus = run.experiment.corpus;
    const bool has_own = run.method == Method::ssd && !corpus.ssd_filter.empty();
    return parseCorpusFilter(has_own ? corpus.ssd_filter : corpus.filter);
}

Json calibrateInputs(const ModelFacts& model, const PlannedRun& run, const Json& data) {
    return {{"model", modelInputs(model, run.experiment.calibration.dtype)},
            {"data", data},
            {"settings", settingsIn(run.experiment, "calibration.", {"dtype"})}};
}

Json generateInputs(const ModelFacts& model, const PlannedRun& run, const Json& prompts,
                    const std::string& subspace_sha256) {
    return {{"model", modelInputs(model, run.experiment.model.dtype)},
            {"prompts", prompts},
            {"chat", run.experiment.generation.chat},
            {"max_new_tokens", run.experiment.generation.max_new_tokens},
            {"sampling", samplingInputs(run)},
            {"projection", projectionInputs(run, subspace_sha256)},
            {"seed", run.experiment.seed}};
}

Json trainInputs(const ModelFacts& model, const PlannedRun& run, const std::string& corpus_sha256) {
    return {{"model", modelInputs(model, run.experiment.model.dtype)},
            {"corpus_sha256", corpus_sha256},
            {"corpus_filter", name(corpusFilterOf(run))},
            {"settings", settingsIn(run.experiment, "training.", {"recompute", "checkpoint_every"})},
            {"seed", run.experiment.seed}};
}

Json evaluateInputs(const ModelFacts& model, const PlannedRun& run, const Experiment::Evaluation& evaluation,
                    const Json& questions, const std::string& adapter_sha256,
                    const std::string& subspace_sha256) {
    const bool is_generating = evaluation.policy == "generating";
    return {{"model", modelInputs(model, run.experiment.model.dtype)},
            {"questions", questions},
            {"protocol", evaluation.protocol},
            {"policy", evaluation.policy},
            {"max_new_tokens", longestAnswer(evaluation)},
            {"sampling", is_generating ? samplingInputs(run) : Json("greedy")},
            {"chat", is_generating && run.experiment.generation.chat},
            {"projection", projectionInputs(run, subspace_sha256)},
            {"adapter_sha256", adapter_sha256},
            {"seed", run.experiment.seed}};
}

}  // namespace spd
