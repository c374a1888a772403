#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/generate/generator.h"

namespace spd {

/// Which tokens each step computes: the next token of every decoding slot, and pieces of the prompts that are
/// not in the cache yet. Prompts wait in a queue, longest first, so that the last slots to end are short
/// ones.
class Scheduler {
public:
    /// One sequence being completed.
    struct Sequence {
        GenerationPrompt prompt;
        int64_t computed = 0;  ///< prompt positions whose K and V are in the cache or in the current step
        std::vector<int32_t> generated;
        bool active = false;
    };

    Scheduler(std::vector<GenerationPrompt> prompts, int slots);

    /// Fills free slots from the queue and plans the next step; empty when everything is done. Every row that
    /// wants logits is the last known token of its slot.
    std::span<const StepRow> plan();

    Sequence& sequence(int64_t slot) { return sequences_[static_cast<size_t>(slot)]; }
    /// The slot's sequence has ended; the slot is free for the next plan().
    void release(int64_t slot) { sequence(slot).active = false; }

private:
    /// Prompt tokens computed in one step, beside the decoding rows: enough to keep the kernels busy, few
    /// enough that a stop request is seen soon and the decoding slots are not held up long.
    static constexpr int64_t kPromptRows = 256;

    void refill();

    std::vector<GenerationPrompt> queue_;  // shortest first: taken from the back
    std::vector<Sequence> sequences_;      // one a slot
    std::vector<StepRow> rows_;
};

}  // namespace spd
