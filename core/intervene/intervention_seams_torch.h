#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "core/intervene/intervention.h"
#include "core/model/causal_lm.h"
#include "core/model/seams_torch.h"

namespace spd {

/// The intervention as CausalLm computes it. It acts in the calls of hiddenStates() that the result is handed
/// to, and ends with them: the model's weights stay as they are (folded ones are copies that the result
/// owns). LoRA is computed in float32 and its sum rounded to the compute dtype, as peft does.
/// @param model  must outlive the result.
/// @param prompt_length  positions from here on count as new tokens (ProjectWhen); by default the whole input
/// is the prompt.
/// @throws Error as checkFits(), out_of_memory
ForwardSeams interventionSeams(const CausalLm& model, const Intervention& intervention,
                               int64_t prompt_length = std::numeric_limits<int64_t>::max());

/// For stages that must see the base model (training, paper Algorithm 1: hooks are gone): nothing projects in
/// a forward pass with these seams, whose `linear` may be the caller's own LoRA.
/// @return the line for the run's log that says so.   @throws Error internal when something does
std::string assertNoIntervention(const ForwardSeams& seams);

}  // namespace spd
