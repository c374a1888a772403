#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "core/config/experiment.h"

namespace spd {

/// What a value must be, besides its type.
struct FieldRule {
    double least = -std::numeric_limits<double>::infinity();
    double most = std::numeric_limits<double>::infinity();
    bool above_least = false;             ///< `least` itself is out
    std::vector<std::string_view> words;  ///< a text must be one of these; empty: any
    bool (*form)(const std::string&) = nullptr;
    std::string_view form_text;  ///< in words, for messages
};

FieldRule atLeast(double least);
FieldRule above(double least);
FieldRule between(double least, double most);
FieldRule oneOf(std::vector<std::string_view> words);
FieldRule layersRule();
FieldRule rankRule();
FieldRule controlRule();
FieldRule notEmpty();

/// Calls visit(section, key, value, rule) for every setting of the experiment but methods and evaluate, in
/// the order of the file. One table serves reading, printing and recording.
template <class AnyExperiment, class Visitor>
void visitFields(AnyExperiment& e, Visitor&& visit) {
    const FieldRule any;
    const auto dtype = oneOf({"float32", "bfloat16", "float16"});
    visit("", "name", e.name, notEmpty());
    visit("", "seed", e.seed, atLeast(0));

    visit("model", "path", e.model.path, notEmpty());
    visit("model", "dtype", e.model.dtype, dtype);

    visit("task", "name", e.task.name, oneOf({"math", "code", "qa"}));
    visit("task", "train", e.task.train, any);
    visit("task", "n_train", e.task.n_train, atLeast(0));
    visit("task", "n_calibration", e.task.n_calibration, atLeast(1));
    visit("task", "disjoint", e.task.disjoint, any);

    visit("calibration", "dtype", e.calibration.dtype, dtype);
    visit("calibration", "loss", e.calibration.loss, oneOf({"aligned", "full_sequence", "full_completion"}));
    visit("calibration", "site", e.calibration.site, oneOf({"proj", "post_norm", "post_rope"}));
    visit("calibration", "layers", e.calibration.layers, layersRule());
    visit("calibration", "per_head", e.calibration.per_head, any);

    visit("projection", "layers", e.projection.layers, layersRule());
    visit("projection", "rank_rule", e.projection.rank_rule, rankRule());
    visit("projection", "project", e.projection.project, oneOf({"both", "k", "v"}));
    visit("projection", "strength", e.projection.strength, any);
    visit("projection", "control", e.projection.control, controlRule());
    visit("projection", "when", e.projection.when, oneOf({"all", "decode_only", "prefill_only"}));
    visit("projection", "apply", e.projection.apply, oneOf({"", "folded", "activation"}));
    visit("projection", "allow_arbitrary", e.projection.allow_arbitrary, any);

    visit("generation", "greedy", e.generation.greedy, any);
    visit("generation", "temperature", e.generation.temperature, above(0));
    visit("generation", "top_k", e.generation.top_k, atLeast(0));
    visit("generation", "top_p", e.generation.top_p, between(0, 1));
    visit("generation", "min_p", e.generation.min_p, between(0, 1));
    visit("generation", "repetition_penalty", e.generation.repetition_penalty, above(0));
    visit("generation", "max_new_tokens", e.generation.max_new_tokens, between(1, 1 << 20));
    visit("generation", "batch", e.generation.batch, between(1, 4096));
    visit("generation", "chat", e.generation.chat, any);
    visit("generation", "ssd_temperature", e.generation.ssd_temperature, above(0));
    visit("generation", "ssd_top_k", e.generation.ssd_top_k, atLeast(0));
    visit("generation", "ssd_top_p", e.generation.ssd_top_p, between(0, 1));

    visit("corpus", "filter", e.corpus.filter, oneOf({"none", "ssd", "apple", "trl", "mlx"}));
    visit("corpus", "ssd_filter", e.corpus.ssd_filter, oneOf({"", "none", "ssd", "apple", "trl", "mlx"}));

    visit("training", "epochs", e.training.epochs, between(1, 10'000));
    visit("training", "lr", e.training.lr, above(0));
    visit("training", "r", e.training.r, between(1, 4096));
    visit("training", "alpha", e.training.alpha, above(0));
    visit("training", "dropout", e.training.dropout, between(0, 0.999));
    visit("training", "batch_size", e.training.batch_size, between(1, 65'536));
    visit("training", "weight_decay", e.training.weight_decay, atLeast(0));
    visit("training", "loss", e.training.loss, oneOf({"full", "completion_only"}));
    visit("training", "recompute", e.training.recompute, oneOf({"auto", "off", "full"}));
    visit("training", "checkpoint_every", e.training.checkpoint_every, atLeast(1));
}

/// The same for one [[evaluate]] table.
template <class AnyEvaluation, class Visitor>
void visitEvaluation(AnyEvaluation& e, Visitor&& visit) {
    visit("evaluate", "task", e.task, oneOf({"gsm8k", "svamp", "mbpp", "codealpaca", "mmlu", "bbh"}));
    visit("evaluate", "limit", e.limit, atLeast(0));
    visit("evaluate", "protocol", e.protocol, oneOf({"paper", "chat", "harness"}));
    visit("evaluate", "max_new_tokens", e.max_new_tokens, between(0, 1 << 20));
    visit("evaluate", "policy", e.policy, oneOf({"trained", "generating"}));
    visit("evaluate", "domain", e.domain, oneOf({"", "math", "code", "qa"}));
}

}  // namespace spd
