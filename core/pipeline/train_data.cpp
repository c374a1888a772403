#include "core/pipeline/train_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/data/permutation.h"
#include "core/train/training_noise.h"

namespace spd {
namespace {

TrainingRules rulesOf(const TrainRequest& request, const ModelConfig& config) {
    return {config.max_position_embeddings, config.vocab_size, config.eos_token_ids,
            request.settings.loss == CountedTokens::completion_only};
}

/// Puts a share of the examples, chosen by the seed, aside. @throws Error invalid_argument
void split(const TrainRequest& request, TrainingData& data) {
    const auto count = static_cast<int64_t>(data.train.size());
    const auto share = std::max<int64_t>(
        1, static_cast<int64_t>(request.held_out_fraction * static_cast<double>(count) + 0.5));
    if (share >= count)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("--held-out: {} of {} examples leave none to train on", share, count));
    const std::vector<int64_t> order =
        permutation(count, trainingKey(request.settings.seed, TrainingStream::held_out, 0), 0);
    const std::set<int64_t> chosen(order.begin(), order.begin() + share);
    std::vector<TrainingExample> rest;
    for (int64_t i = 0; i < count; ++i)
        (chosen.contains(i) ? data.held_out : rest).push_back(std::move(data.train[static_cast<size_t>(i)]));
    data.train = std::move(rest);
}

void warnOfOverlap(const TrainingData& data, const JobContext& context) {
    std::set<std::vector<int32_t>> trained;
    for (const TrainingExample& example : data.train)
        trained.insert(example.ids);
    const auto shared =
        std::count_if(data.held_out.begin(), data.held_out.end(),
                      [&](const TrainingExample& example) { return trained.contains(example.ids); });
    if (shared > 0)
        context.say(fmt::format("warning: {} of the {} held-out examples are trained on too", shared,
                                data.held_out.size()));
}

}  // namespace

int64_t TrainingData::longest() const {
    size_t most = 0;
    for (const auto* examples : {&train, &held_out})
        for (const TrainingExample& example : *examples)
            most = std::max(most, example.ids.size());
    return static_cast<int64_t>(most);
}

TrainingData readTrainingData(const TrainRequest& request, const Session& session,
                              const JobContext& context) {
    TrainingRules rules = rulesOf(request, session.checkpoint.config());
    rules.filter = request.corpus_filter;
    TrainingCorpus corpus = readTrainingCorpus(request.corpus, session.tokenizer, rules);
    TrainingData data = {
        std::move(corpus.examples), {}, corpus.sha256, std::move(corpus.filtered), std::move(corpus.made_by)};
    rules.filter = CorpusFilter::none;  // what a loss is measured on is measured whole
    if (!request.held_out.empty()) {
        data.held_out = readTrainingCorpus(request.held_out, session.tokenizer, rules).examples;
    } else if (request.held_out_fraction > 0) {
        split(request, data);
    }
    warnOfOverlap(data, context);
    return data;
}

std::string idsSha256(const std::vector<TrainingExample>& examples) {
    std::string digests;
    for (const TrainingExample& example : examples) {
        digests += fmt::format("{} {} ", example.prompt_tokens, example.ids.size());
        digests.append(reinterpret_cast<const char*>(example.ids.data()),
                       example.ids.size() * sizeof(int32_t));
    }
    return sha256Hex(digests);
}

}  // namespace spd
