#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/job_context.h"
#include "core/model/causal_lm.h"
#include "core/train/lora_parameters.h"

namespace spd {

/// One sequence as the loss sees it.
struct TrainingSequence {
    std::span<const int32_t> ids;  ///< T >= 2
    int64_t first_target = 1;      ///< ids from here on are counted, 1 <= first_target < T
    uint32_t number = 0;           ///< in its corpus, for the dropout's noise

    int64_t targets() const { return static_cast<int64_t>(ids.size()) - first_target; }
};

/// How a sequence's gradients are computed.
struct PassSettings {
    double scale = 1;              ///< gradients are of scale x the summed loss
    double dropout = 0;            ///< rate
    uint64_t dropout_key = 0;      ///< trainingKey(seed, dropout, step)
    bool keep_activations = true;  ///< else each layer runs forward a second time; the bits are the same
};

/// Loss and gradients of the frozen model with LoRA on it. Each sequence is computed alone: nothing is
/// padded, and its numbers do not depend on its neighbours. The model is run layer by layer and
/// differentiated layer by layer, and the stop token is looked at before each layer both ways. For one
/// thread.
class TrainingPass {
public:
    /// Both must outlive this object; `parameters` may change between calls.
    TrainingPass(const CausalLm& model, LoraParameters& parameters);
    ~TrainingPass();

    /// The line for the run's log that says that no intervention acts. @throws Error internal when one does
    std::string assertNoIntervention() const;

    /// Adds the gradients to `gradients`, which lies as LoraParameters::values() does.
    /// @return the summed loss, -log p over the counted ids, in nats.
    /// @throws Error out_of_memory; Cancelled, with `gradients` partly added to
    double addGradients(const TrainingSequence& sequence, const PassSettings& settings,
                        std::span<float> gradients, const JobContext& context);

    /// The summed loss without dropout and gradients. @throws as addGradients()
    double loss(const TrainingSequence& sequence, const JobContext& context);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spd
