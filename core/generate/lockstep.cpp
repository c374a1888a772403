#include "core/generate/lockstep.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/base/error.h"
#include "core/generate/sampler.h"
#include "core/generate/stop_strings.h"

namespace spd {
namespace {

constexpr size_t kTop = 10;
constexpr int64_t kPromptRows = 256;  // computed in one step: a stop request is seen soon

/// Log-probabilities of one row of logits, in float64. Ids without a token are left out (-infinity).
std::vector<double> logProbabilities(std::span<const float> logits, const std::vector<uint8_t>& allowed) {
    double largest = -INFINITY;
    for (size_t v = 0; v < logits.size(); ++v)
        if (allowed[v] != 0)
            largest = std::max(largest, static_cast<double>(logits[v]));
    double sum = 0;
    for (size_t v = 0; v < logits.size(); ++v)
        if (allowed[v] != 0)
            sum += std::exp(static_cast<double>(logits[v]) - largest);
    const double normalizer = largest + std::log(sum);
    std::vector<double> values(logits.size(), -INFINITY);
    for (size_t v = 0; v < logits.size(); ++v)
        if (allowed[v] != 0)
            values[v] = static_cast<double>(logits[v]) - normalizer;
    return values;
}

double entropyOf(const std::vector<double>& p) {
    double entropy = 0;
    for (const double value : p)
        if (std::isfinite(value))
            entropy -= std::exp(value) * value;
    return entropy;
}

double divergence(const std::vector<double>& p, const std::vector<double>& base) {
    double sum = 0;
    for (size_t v = 0; v < p.size(); ++v)
        if (std::isfinite(p[v]))
            sum += std::exp(p[v]) * (p[v] - base[v]);
    return std::max(0.0, sum);  // rounding of equal distributions
}

std::vector<std::pair<int32_t, double>> likeliest(const std::vector<double>& p) {
    std::vector<int32_t> ids(p.size());
    std::iota(ids.begin(), ids.end(), 0);
    const size_t count = std::min(kTop, ids.size());
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
                      [&](int32_t a, int32_t b) {
                          const double pa = p[static_cast<size_t>(a)], pb = p[static_cast<size_t>(b)];
                          return pa != pb ? pa > pb : a < b;
                      });
    std::vector<std::pair<int32_t, double>> top;
    for (size_t i = 0; i < count && std::isfinite(p[static_cast<size_t>(ids[i])]); ++i)
        top.emplace_back(ids[i], p[static_cast<size_t>(ids[i])]);
    return top;
}

/// A pane and its slots in the cache.
struct Pane {
    int32_t intervention = PackedInterventions::kNone;
    int64_t slot = 0;
    std::optional<int64_t> shadow;  ///< the base model's slot that reads the pane's text
    std::vector<int32_t> generated;
    std::optional<StopStringMatcher> stop;
    bool ended = false;
};

class Lockstep {
public:
    Lockstep(PackedLm& model, const PackedInterventions& interventions, const Tokenizer& tokenizer,
             const LockstepRequest& request)
        : model_(model), interventions_(interventions), request_(request) {
        for (int64_t id = 0; id < model.config().vocab_size; ++id)
            allowed_.push_back(tokenizer.hasToken(static_cast<int32_t>(id)));
        for (const int32_t intervention : request.interventions) {
            Pane pane;
            pane.intervention = intervention;
            pane.slot = slots_++;
            if (intervention != PackedInterventions::kNone)
                pane.shadow = slots_++;
            if (!request.settings.stop.empty())
                pane.stop.emplace(request.settings.stop, tokenizer);
            panes_.push_back(std::move(pane));
        }
    }

    void run(const JobContext& context, const std::function<void(const LockstepToken&)>& on_token) {
        const auto prompt = static_cast<int64_t>(request_.ids.size());
        KvCache cache = model_.makeCache(slots_, std::min(prompt + request_.settings.max_new_tokens,
                                                          model_.config().max_position_embeddings));
        readPrompt(cache, context);
        std::vector<StepRow> rows = lastPromptRows();
        for (int64_t step = 0; !rows.empty(); ++step) {
            const std::span<float> logits = model_.step(rows, cache, interventions_, context);
            draw(logits, on_token);
            context.report({"preview", step + 1, request_.settings.max_new_tokens});
            rows = nextRows();
        }
    }

private:
    void addRows(const Pane& pane, StepRow row, std::vector<StepRow>& rows) const {
        row.slot = pane.slot;
        row.intervention = pane.intervention;
        rows.push_back(row);
        if (!pane.shadow)
            return;
        row.slot = *pane.shadow;
        row.intervention = PackedInterventions::kNone;
        rows.push_back(row);
    }

    /// All of the prompt but its last token, a piece of every slot a step.
    void readPrompt(KvCache& cache, const JobContext& context) {
        const int64_t piece = std::max<int64_t>(1, kPromptRows / slots_);
        const auto end = static_cast<int64_t>(request_.ids.size()) - 1;
        for (int64_t first = 0; first < end; first += piece) {
            std::vector<StepRow> rows;
            for (const Pane& pane : panes_)
                for (int64_t position = first; position < std::min(end, first + piece); ++position)
                    addRows(pane,
                            {.token = request_.ids[static_cast<size_t>(position)], .position = position},
                            rows);
            std::stable_sort(rows.begin(), rows.end(),
                             [](const StepRow& a, const StepRow& b) { return a.slot < b.slot; });
            model_.step(rows, cache, interventions_, context);
        }
    }

    std::vector<StepRow> lastPromptRows() const {
        std::vector<StepRow> rows;
        for (const Pane& pane : panes_)
            addRows(pane,
                    {.token = request_.ids.back(),
                     .position = static_cast<int64_t>(request_.ids.size()) - 1,
                     .wants_logits = true},
                    rows);
        return rows;
    }

    std::vector<StepRow> nextRows() const {
        std::vector<StepRow> rows;
        for (const Pane& pane : panes_)
            if (!pane.ended)
                addRows(pane,
                        {.token = pane.generated.back(),
                         .position = static_cast<int64_t>(request_.ids.size() + pane.generated.size()) - 1,
                         .wants_logits = true,
                         .in_prompt = false},
                        rows);
        return rows;
    }

    /// One token for each pane whose logits these are.
    void draw(std::span<float> logits, const std::function<void(const LockstepToken&)>& on_token) {
        const auto vocabulary = static_cast<size_t>(model_.config().vocab_size);
        const auto stride = static_cast<size_t>(model_.logitsStride());
        size_t row = 0;
        for (size_t i = 0; i < panes_.size(); ++i) {
            Pane& pane = panes_[i];
            if (pane.ended)
                continue;
            const std::span<float> own = logits.subspan(row++ * stride, vocabulary);
            const std::vector<double> p = logProbabilities(own, allowed_);
            LockstepToken token;
            token.pane = i;
            if (pane.shadow)
                token.kl_to_base =
                    divergence(p, logProbabilities(logits.subspan(row++ * stride, vocabulary), allowed_));
            token.entropy = entropyOf(p);
            token.top = likeliest(p);
            token.id = choose(pane, own);
            token.logprob = p[static_cast<size_t>(token.id)];
            accept(pane, token);
            on_token(token);
        }
    }

    int32_t choose(const Pane& pane, std::span<float> logits) {
        std::vector<int32_t> seen;
        if (request_.settings.sampling.repetition_penalty != 1.0) {
            seen = request_.ids;
            seen.insert(seen.end(), pane.generated.begin(), pane.generated.end());
        }
        const int32_t token = sampleToken(logits, request_.settings.sampling, seen, request_.noise_key,
                                          pane.generated.size(), allowed_, scratch_);
        if (token == kNoToken)
            throw Error(ErrorKind::internal,
                        "the logits of the next token are not finite numbers (NaN or overflow in the "
                        "weights, or the type is too narrow: try --dtype float32)");
        return token;
    }

    void accept(Pane& pane, LockstepToken& token) const {
        pane.generated.push_back(token.id);
        const std::vector<int64_t>& eos = model_.config().eos_token_ids;
        const bool by_eos = std::find(eos.begin(), eos.end(), token.id) != eos.end();
        const bool by_string = pane.stop && pane.stop->add(token.id);
        const auto generated = static_cast<int64_t>(pane.generated.size());
        const int64_t positions = static_cast<int64_t>(request_.ids.size()) + generated;
        const bool full = generated >= request_.settings.max_new_tokens ||
                          positions >= model_.config().max_position_embeddings;
        pane.ended = token.ended = by_eos || by_string || full;
        token.finish_reason = by_eos || by_string ? FinishReason::stop : FinishReason::length;
    }

    PackedLm& model_;
    const PackedInterventions& interventions_;
    const LockstepRequest& request_;
    std::vector<uint8_t> allowed_;
    std::vector<Pane> panes_;
    int64_t slots_ = 0;
    SamplerScratch scratch_;
};

}  // namespace

void generateLockstep(PackedLm& model, const PackedInterventions& interventions, const Tokenizer& tokenizer,
                      const LockstepRequest& request, const JobContext& context,
                      const std::function<void(const LockstepToken&)>& on_token) {
    Lockstep(model, interventions, tokenizer, request).run(context, on_token);
}

}  // namespace spd
