#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spd {

struct Merge {
    int32_t left = 0;
    int32_t right = 0;
    int32_t merged = 0;
};

/// Pair of token ids -> rank and merged id. Sorted rows, one per left id: no file can make it slow by
/// choosing ids.
class MergeTable {
public:
    static constexpr uint32_t no_rank = 0xFFFFFFFF;
    struct Result {
        uint32_t rank = no_rank;  ///< lower goes first
        int32_t merged = -1;
    };

    MergeTable() = default;
    /// @param merges  in order of rank; pairs differ.
    /// @param id_end  larger than every id.
    MergeTable(const std::vector<Merge>& merges, int32_t id_end);

    /// rank == no_rank when the pair has no merge.
    Result find(int32_t left, int32_t right) const;
    size_t size() const { return cells_.size(); }

private:
    struct Cell {
        int32_t right;
        Result result;
    };
    std::vector<uint32_t> row_begin_;  ///< [id_end + 1]
    std::vector<Cell> cells_;          ///< by left id, then by right id
};

}  // namespace spd
