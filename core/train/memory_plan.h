#pragma once

#include <cstdint>

#include "core/base/dtype.h"
#include "core/io/model_config.h"
#include "core/train/training_settings.h"

namespace spd {

/// What training needs, in bytes, beside what the process has before.
struct TrainingMemory {
    int64_t weights = 0;     ///< frozen, in the compute dtype
    int64_t parameters = 0;  ///< LoRA: value, gradient, two moments, and a copy while a checkpoint is written
    int64_t kept = 0;        ///< activations of the longest sequence, all layers kept
    int64_t recomputed = 0;  ///< ditto where one layer at a time is kept, and every layer's input
    int64_t head = 0;        ///< one chunk of logits, beside the activations
    int64_t library = 0;     ///< LibTorch's own: code that is paged in, weights in the order its kernels like

    int64_t total(bool keep_activations) const {
        return weights + parameters + head + library + (keep_activations ? kept : recomputed);
    }
};

/// From the shapes alone: what autograd keeps of a layer, counted tensor by tensor, and two layers' worth of
/// temporaries.
/// @param longest  tokens of the longest sequence.   @param lora_parameters  their number.
TrainingMemory trainingMemory(const ModelConfig& config, DType dtype, int64_t longest,
                              int64_t lora_parameters);

/// Whether activations are kept: as asked, or for `automatic` when that leaves a fifth of `available` free.
bool keepActivations(Recompute recompute, const TrainingMemory& memory, int64_t available);

}  // namespace spd
