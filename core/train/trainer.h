#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/data/training_examples.h"
#include "core/model/causal_lm.h"
#include "core/train/adamw.h"
#include "core/train/lora_parameters.h"
#include "core/train/training_pass.h"
#include "core/train/training_settings.h"

namespace spd {

/// One optimizer step as it is logged.
struct StepRecord {
    int64_t step = 0;              ///< steps done with this one
    int64_t epoch = 0;             ///< from 1
    double loss = 0;               ///< mean of -log p over the step's counted tokens, before the update
    double lr = 0;                 ///< the rate of this step
    double grad_norm = 0;          ///< before clipping
    int64_t tokens = 0;            ///< counted ones
    double tokens_per_second = 0;  ///< tokens that went through the model; the only field that is not
                                   ///< a function of seed, data and settings
};

/// The recipe (paper Eq. 14): epochs of optimizer steps over the examples in the order of
/// permutation(seed, epoch), batch_size of them a step and what is left in the last. A step's gradient is
/// that of its mean loss over its counted tokens. For one thread.
class Trainer {
public:
    /// `model` and `examples` must outlive this object.
    /// @param start  parameters before the first step.
    Trainer(const CausalLm& model, const std::vector<TrainingExample>& examples,
            const TrainingSettings& settings, LoraParameters start, bool keep_activations);

    /// Goes on behind step `step`. @param values, first, second  parameters and moments as they were then.
    void restore(int64_t step, const std::vector<float>& values, std::vector<float> first,
                 std::vector<float> second);

    int64_t done() const { return optimizer_.steps(); }
    int64_t steps() const { return settings_.epochs * stepsPerEpoch(); }
    int64_t stepsPerEpoch() const;

    /// The next step. Stopped or failed, it has changed nothing.
    /// @throws Error diverged (loss, gradient or new parameters not finite), out_of_memory; Cancelled within
    /// one layer
    StepRecord step(const JobContext& context);

    /// Mean of -log p over the counted tokens of `examples`, without dropout. @throws as step()
    double meanLoss(const std::vector<TrainingExample>& examples, const JobContext& context);

    const LoraParameters& parameters() const { return parameters_; }
    const AdamW& optimizer() const { return optimizer_; }
    /// The line for the run's log that says that no intervention acts. @throws Error internal
    std::string assertNoIntervention() const { return pass_.assertNoIntervention(); }

private:
    /// The examples of step number `step`, from 0.
    std::vector<int64_t> batch(int64_t step);
    TrainingSequence sequence(const TrainingExample& example, int64_t number) const;
    double accumulate(const std::vector<int64_t>& batch, int64_t tokens, const JobContext& context);

    const std::vector<TrainingExample>& examples_;
    TrainingSettings settings_;
    bool keep_activations_;
    LoraParameters parameters_;
    AdamW optimizer_;
    TrainingPass pass_;
    std::vector<float> gradients_;
    std::vector<int64_t> order_;  // of order_epoch_
    int64_t order_epoch_ = -1;
};

}  // namespace spd
