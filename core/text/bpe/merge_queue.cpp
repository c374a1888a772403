#include "core/text/bpe/merge_queue.h"

#include <algorithm>
#include <functional>

namespace spd {

void MergeQueue::clear() {
    sorted_.clear();
    late_.clear();
    next_ = 0;
}

void MergeQueue::push(Entry entry) {
    late_.push_back((uint64_t{entry.rank} << 32) | entry.token);
    std::push_heap(late_.begin(), late_.end(), std::greater<>());
}

MergeQueue::Entry MergeQueue::take() {
    if (next_ == sorted_.size()) {
        sorted_.swap(late_);
        late_.clear();
        next_ = 0;
        if (!std::is_sorted(sorted_.begin(), sorted_.end()))
            std::sort(sorted_.begin(), sorted_.end());
    }
    uint64_t first = sorted_[next_];
    if (!late_.empty() && late_.front() < first) {
        first = late_.front();
        std::pop_heap(late_.begin(), late_.end(), std::greater<>());
        late_.pop_back();
    } else {
        ++next_;
    }
    return {static_cast<uint32_t>(first >> 32), static_cast<uint32_t>(first)};
}

}  // namespace spd
