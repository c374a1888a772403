#include "core/text/bpe/merge_table.h"

#include <algorithm>

namespace spd {

MergeTable::MergeTable(const std::vector<Merge>& merges, int32_t id_end) {
    row_begin_.assign(static_cast<size_t>(id_end) + 1, 0);
    for (const Merge& merge : merges)
        ++row_begin_[static_cast<size_t>(merge.left) + 1];
    for (size_t i = 1; i < row_begin_.size(); ++i)
        row_begin_[i] += row_begin_[i - 1];

    cells_.resize(merges.size());
    std::vector<uint32_t> next(row_begin_.begin(), row_begin_.end() - 1);
    for (uint32_t rank = 0; rank < merges.size(); ++rank) {
        const Merge& merge = merges[rank];
        cells_[next[static_cast<size_t>(merge.left)]++] = {merge.right, {rank, merge.merged}};
    }
    for (size_t i = 0; i + 1 < row_begin_.size(); ++i)
        std::sort(cells_.begin() + row_begin_[i], cells_.begin() + row_begin_[i + 1],
                  [](const Cell& a, const Cell& b) { return a.right < b.right; });
}

MergeTable::Result MergeTable::find(int32_t left, int32_t right) const {
    const auto row = static_cast<size_t>(left);
    const auto begin = cells_.begin() + row_begin_[row];
    const auto end = cells_.begin() + row_begin_[row + 1];
    const auto found = std::lower_bound(begin, end, right,
                                        [](const Cell& cell, int32_t wanted) { return cell.right < wanted; });
    return found != end && found->right == right ? found->result : Result{};
}

}  // namespace spd
