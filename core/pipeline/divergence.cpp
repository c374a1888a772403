#include "core/pipeline/divergence.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "core/intervene/intervention_seams_torch.h"

namespace spd {
namespace {

/// Sum over positions of KL(p || q). @param p,q  [positions, hidden]: final hidden states of the two models.
double summedKl(const CausalLm& model, const at::Tensor& p, const at::Tensor& q) {
    constexpr int64_t kPositions = 64;
    double sum = 0;
    for (int64_t first = 0; first < p.size(0); first += kPositions) {
        const int64_t count = std::min(kPositions, p.size(0) - first);
        const auto logProbabilities = [&](const at::Tensor& hidden) {
            return at::log_softmax(model.logits(hidden.narrow(0, first, count)).to(at::kFloat), -1);
        };
        const at::Tensor log_p = logProbabilities(p);
        const at::Tensor log_q = logProbabilities(q);
        sum += (log_p.exp() * (log_p - log_q)).sum(at::kDouble).item<double>();
    }
    return sum;
}

}  // namespace

Divergence divergenceFromBase(const CausalLm& model, const Intervention& intervention,
                              std::span<const ScoredSequence> sequences, const JobContext& context) {
    const c10::InferenceMode no_gradients;
    Divergence divergence;
    double sum = 0;
    int64_t done = 0;
    for (const ScoredSequence& sequence : sequences) {
        const auto length = static_cast<int64_t>(sequence.ids.size());
        const int64_t targets = length - sequence.prompt_tokens;
        if (targets > 0) {
            // The last token predicts nothing that is scored.
            const TokenBatch batch = {1, length - 1, {sequence.ids.begin(), sequence.ids.end() - 1}};
            const ForwardSeams seams = interventionSeams(model, intervention, sequence.prompt_tokens);
            const auto scored = [&](const at::Tensor& hidden) {
                return hidden[0].narrow(0, sequence.prompt_tokens - 1, targets);
            };
            sum += summedKl(model, scored(model.hiddenStates(batch, seams, context)),
                            scored(model.hiddenStates(batch, context)));
            divergence.tokens += targets;
        }
        context.report({"KL to base", ++done, static_cast<int64_t>(sequences.size())});
    }
    if (divergence.tokens > 0)
        divergence.mean_kl = sum / static_cast<double>(divergence.tokens);
    return divergence;
}

}  // namespace spd
