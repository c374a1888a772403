#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spd {

/// Merges that wait, lowest rank first, then leftmost. A sorted list that is read from its front, and a heap
/// for what comes while it is read; when the list is used up, the heap is sorted and becomes the list. A long
/// run of one letter thus costs linear time: its merges come in order.
class MergeQueue {
public:
    struct Entry {
        uint32_t rank;
        uint32_t token;  ///< the left one of the pair
    };

    void clear();
    bool empty() const { return next_ == sorted_.size() && late_.empty(); }
    void push(Entry entry);
    /// The first entry; there must be one.
    Entry take();

private:
    std::vector<uint64_t> sorted_;  ///< rank << 32 | token
    size_t next_ = 0;               ///< in sorted_
    std::vector<uint64_t> late_;    ///< a heap, smallest on top
};

}  // namespace spd
