#pragma once

#include <string>

#include "core/base/job_context.h"
#include "core/calibrate/calibration_settings.h"
#include "core/calibrate/gram_sums.h"
#include "core/model/causal_lm.h"

namespace spd {

/// One forward and one backward pass of one example on the frozen model (paper Eq. 6 to 8): the gradients of
/// its loss with respect to K and V of every layer of the settings, a row a token position, go into the sums.
/// No graph is recorded below the lowest of those layers and no weight gets a gradient; logits are computed
/// for the positions in the loss only and never stand in memory all at once.
///
/// The sums are changed by the whole example or, when this throws, not at all.
/// @param model  its weights ask for no gradients.
/// @return Frobenius norm of the gradients, all targets together
/// @throws Error invalid_argument (lossPositions()), file_format (a loss or gradient that is not finite),
/// out_of_memory; Cancelled, looked at per layer forward and back
double addExample(const CausalLm& model, const CalibrationExample& example,
                  const CalibrationSettings& settings, GramSums& sums, const JobContext& context);

}  // namespace spd
