#include "core/generate/scheduler.h"

#include <algorithm>

namespace spd {

Scheduler::Scheduler(std::vector<GenerationPrompt> prompts, int slots)
    : queue_(std::move(prompts)), sequences_(static_cast<size_t>(slots)) {
    std::stable_sort(queue_.begin(), queue_.end(), [](const GenerationPrompt& a, const GenerationPrompt& b) {
        return a.ids.size() < b.ids.size();
    });
}

void Scheduler::refill() {
    for (Sequence& sequence : sequences_) {
        if (sequence.active || queue_.empty())
            continue;
        sequence = {std::move(queue_.back()), 0, {}, true};
        queue_.pop_back();
    }
}

std::span<const StepRow> Scheduler::plan() {
    refill();
    rows_.clear();
    int64_t prompt_rows = kPromptRows;
    for (size_t slot = 0; slot < sequences_.size(); ++slot) {
        Sequence& sequence = sequences_[slot];
        if (!sequence.active)
            continue;
        const auto prompt_length = static_cast<int64_t>(sequence.prompt.ids.size());
        if (sequence.computed == prompt_length) {
            const auto generated = static_cast<int64_t>(sequence.generated.size());
            rows_.push_back({sequence.generated.back(), static_cast<int64_t>(slot),
                             prompt_length + generated - 1, /*wants_logits=*/true, /*in_prompt=*/false,
                             sequence.prompt.intervention});
            continue;
        }
        const int64_t count = std::min(prompt_rows, prompt_length - sequence.computed);
        for (int64_t i = 0; i < count; ++i) {
            const int64_t position = sequence.computed + i;
            rows_.push_back({sequence.prompt.ids[static_cast<size_t>(position)], static_cast<int64_t>(slot),
                             position, /*wants_logits=*/position + 1 == prompt_length, /*in_prompt=*/true,
                             sequence.prompt.intervention});
        }
        sequence.computed += count;
        prompt_rows -= count;
    }
    return rows_;
}

}  // namespace spd
