#pragma once

#include <vector>

#include "views/shared/token_view/shown_token.h"

namespace spd {

/// Which token stands where: rows of equal height, a row ends behind a line end or where the next token no
/// longer fits. Pure numbers, in the units of `widths`.
class TokenLayout {
public:
    struct Box {
        double width = 0;
        bool ends_row = false;
    };
    /// @param width  of a row; a box that is wider has a row of its own
    void build(std::vector<Box> boxes, double width);

    int size() const { return static_cast<int>(boxes_.size()); }
    int rows() const { return static_cast<int>(row_begins_.size()); }
    /// Tokens [begin, end) of a row.
    TokenSpan row(int row) const;
    int rowOf(int token) const;
    double left(int token) const { return lefts_[static_cast<size_t>(token)]; }
    double width(int token) const { return boxes_[static_cast<size_t>(token)].width; }

    /// The token at `x` in a row, else -1.
    int tokenAt(int row, double x) const;
    /// The token of a row nearest to `x`; the row is clipped to those that are there. -1: no tokens.
    int nearest(int row, double x) const;

private:
    std::vector<Box> boxes_;
    std::vector<double> lefts_;
    std::vector<int> row_begins_;
};

}  // namespace spd
