#pragma once

#include <cstdint>
#include <span>

namespace spd {

/// The dropout of one LoRA module on one sequence in one step. Its noise is a function of these and of
/// (position, element): neither packing, nor accumulation, nor recomputation, nor a resumed run changes it.
struct DropoutNoise {
    double rate = 0;        ///< probability that an element is dropped, in [0, 1)
    uint64_t key = 0;       ///< trainingKey(seed, dropout, step)
    uint32_t sequence = 0;  ///< number of the sequence in its corpus
    uint32_t module = 0;    ///< number of the module in the model
};

/// Writes what each element of position `position` is multiplied by: 0 with the probability `rate`, else
/// 1 / (1 - rate), so that the expected value stays (inverted scaling, as torch.nn.Dropout).
void dropoutFactors(const DropoutNoise& noise, uint32_t position, std::span<float> factors);

}  // namespace spd
