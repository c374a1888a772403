#include "core/generate/generator.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/generate/sampler.h"
#include "core/generate/scheduler.h"
#include "core/generate/stop_strings.h"

namespace spd {

namespace {

/// One run of generate(): the scheduler's slots, what is sampled for them, and when they end.
class Generation {
public:
    Generation(PackedLm& model, const PackedInterventions& interventions, const Tokenizer& tokenizer,
               ThreadPool& pool, std::vector<GenerationPrompt> prompts, const GenerationSettings& settings)
        : model_(model),
          interventions_(interventions),
          tokenizer_(tokenizer),
          pool_(pool),
          settings_(settings),
          total_(static_cast<int64_t>(prompts.size())),
          capacity_(neededPositions(prompts)),
          slots_(std::min<int64_t>(settings.batch, total_)),
          scheduler_(std::move(prompts), static_cast<int>(slots_)),
          stops_(static_cast<size_t>(slots_)),
          scratch_(static_cast<size_t>(pool.size())) {
        for (int64_t id = 0; id < model.config().vocab_size; ++id)
            allowed_.push_back(tokenizer.hasToken(static_cast<int32_t>(id)));
    }

    void run(const JobContext& context, const std::function<void(Completion&&)>& on_completion) {
        KvCache cache = model_.makeCache(slots_, capacity_);
        for (auto rows = scheduler_.plan(); !rows.empty(); rows = scheduler_.plan()) {
            const std::span<float> logits = model_.step(rows, cache, interventions_, context);
            const std::vector<Sampled> sampled = sample(rows, logits);
            for (const Sampled& token : sampled)
                if (std::optional<Completion> completion = accept(token)) {
                    on_completion(std::move(*completion));
                    ++done_;
                }
            report(context);
        }
    }

private:
    struct Sampled {
        int64_t slot;
        int32_t token;
    };

    int64_t neededPositions(const std::vector<GenerationPrompt>& prompts) const {
        int64_t longest = 0;
        for (const GenerationPrompt& prompt : prompts)
            longest = std::max(longest, static_cast<int64_t>(prompt.ids.size()));
        return std::min(longest + settings_.max_new_tokens, model_.config().max_position_embeddings);
    }

    /// Prompt and completion so far of each sequence, for the repetition penalty; empty without one.
    std::vector<std::vector<int32_t>> contextsOf(const std::vector<Sampled>& sampled) {
        std::vector<std::vector<int32_t>> contexts(sampled.size());
        if (settings_.sampling.repetition_penalty == 1.0)
            return contexts;
        for (size_t i = 0; i < sampled.size(); ++i) {
            const Scheduler::Sequence& sequence = scheduler_.sequence(sampled[i].slot);
            contexts[i] = sequence.prompt.ids;
            contexts[i].insert(contexts[i].end(), sequence.generated.begin(), sequence.generated.end());
        }
        return contexts;
    }

    /// One token for each row that has logits, the rows shared out over the threads.
    std::vector<Sampled> sample(std::span<const StepRow> rows, std::span<float> logits) {
        std::vector<Sampled> sampled;
        for (const StepRow& row : rows)
            if (row.wants_logits)
                sampled.push_back({row.slot, 0});
        const auto vocabulary = static_cast<size_t>(model_.config().vocab_size);
        const std::vector<std::vector<int32_t>> seen = contextsOf(sampled);
        pool_.run(static_cast<int64_t>(sampled.size()), [&](int thread, int64_t item) {
            Sampled& token = sampled[static_cast<size_t>(item)];
            const Scheduler::Sequence& sequence = scheduler_.sequence(token.slot);
            const auto row = logits.subspan(static_cast<size_t>(item * model_.logitsStride()), vocabulary);
            token.token = sampleToken(row, settings_.sampling, seen[static_cast<size_t>(item)],
                                      sequence.prompt.noise_key, sequence.generated.size(), allowed_,
                                      scratch_[static_cast<size_t>(thread)]);
        });
        return sampled;
    }

    /// Appends the token to its sequence; the completion when that ended it.
    std::optional<Completion> accept(const Sampled& sampled) {
        Scheduler::Sequence& sequence = scheduler_.sequence(sampled.slot);
        if (sampled.token == kNoToken)
            throw Error(ErrorKind::internal,
                        "the logits of the next token are not finite numbers (NaN or overflow in "
                        "the weights, or the type is too narrow: try --dtype float32)");
        std::optional<StopStringMatcher>& stop = stops_[static_cast<size_t>(sampled.slot)];
        if (sequence.generated.empty() && !settings_.stop.empty())
            stop.emplace(settings_.stop, tokenizer_);
        sequence.generated.push_back(sampled.token);
        ++tokens_;

        const std::vector<int64_t>& eos = model_.config().eos_token_ids;
        const bool ended_by_eos = std::find(eos.begin(), eos.end(), sampled.token) != eos.end();
        const bool ended_by_string = stop && stop->add(sampled.token);
        const auto generated = static_cast<int64_t>(sequence.generated.size());
        const int64_t positions = static_cast<int64_t>(sequence.prompt.ids.size()) + generated;
        const bool full =
            generated >= settings_.max_new_tokens || positions >= model_.config().max_position_embeddings;
        if (!ended_by_eos && !ended_by_string && !full)
            return std::nullopt;

        Completion completion;
        completion.index = sequence.prompt.index;
        completion.text = ended_by_string ? stop->text() : tokenizer_.decode(sequence.generated, true);
        completion.finish_reason =
            ended_by_eos || ended_by_string ? FinishReason::stop : FinishReason::length;
        completion.ids = std::move(sequence.generated);
        stop.reset();
        scheduler_.release(sampled.slot);
        return completion;
    }

    void report(const JobContext& context) const {
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
        context.report(
            {"generate", done_, total_, static_cast<double>(tokens_) / std::max(elapsed.count(), 1e-9)});
    }

    PackedLm& model_;
    const PackedInterventions& interventions_;
    const Tokenizer& tokenizer_;
    ThreadPool& pool_;
    const GenerationSettings& settings_;
    int64_t total_;
    int64_t capacity_;
    int64_t slots_;
    Scheduler scheduler_;
    std::vector<std::optional<StopStringMatcher>> stops_;  // one a slot, only with stop strings
    std::vector<SamplerScratch> scratch_;                  // one a thread
    std::vector<uint8_t> allowed_;                         // ids that have a token
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    int64_t done_ = 0;
    int64_t tokens_ = 0;
};

}  // namespace

void generate(PackedLm& model, const PackedInterventions& interventions, const Tokenizer& tokenizer,
              ThreadPool& pool, std::vector<GenerationPrompt> prompts, const GenerationSettings& settings,
              const JobContext& context, const std::function<void(Completion&&)>& on_completion) {
    if (prompts.empty())
        return;
    Generation(model, interventions, tokenizer, pool, std::move(prompts), settings)
        .run(context, on_completion);
}

}  // namespace spd
