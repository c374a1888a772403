#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "core/intervene/intervention.h"
#include "core/model/causal_lm.h"
#include "core/model/seams_torch.h"

namespace spd {

class SeamIntervention;

/// The intervention as CausalLm computes it, its weights folded once: where a prompt ends does not change
/// them. The model's own stay as they are (folded ones are copies that this and its seams own). LoRA is
/// computed in float32 and its sum rounded to the compute dtype, as peft does.
class FoldedIntervention {
public:
    /// @param model  must outlive this and its seams.   @throws Error as checkFits(), out_of_memory
    FoldedIntervention(const CausalLm& model, const Intervention& intervention);

    /// Acts in the calls of hiddenStates() that they are handed to, and ends with them.
    /// @param prompt_length  positions from here on count as new tokens (ProjectWhen); by default the whole
    /// input is the prompt.
    ForwardSeams seams(int64_t prompt_length = std::numeric_limits<int64_t>::max()) const;

private:
    std::shared_ptr<const SeamIntervention> changes_;
    bool intervenes_ = false;
};

/// The seams of an intervention that is used once.
ForwardSeams interventionSeams(const CausalLm& model, const Intervention& intervention,
                               int64_t prompt_length = std::numeric_limits<int64_t>::max());

/// For stages that must see the base model (training, paper Algorithm 1: hooks are gone): nothing projects in
/// a forward pass with these seams, whose `linear` may be the caller's own LoRA.
/// @return the line for the run's log that says so.   @throws Error internal when something does
std::string assertNoIntervention(const ForwardSeams& seams);

}  // namespace spd
