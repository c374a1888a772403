#include "views/shared/token_view/token_layout.h"

#include <algorithm>

namespace spd {

void TokenLayout::build(std::vector<Box> boxes, double width) {
    boxes_ = std::move(boxes);
    lefts_.assign(boxes_.size(), 0);
    row_begins_.clear();
    double x = 0;
    bool begins_row = true;
    for (size_t i = 0; i < boxes_.size(); ++i) {
        if (begins_row || x + boxes_[i].width > width) {
            row_begins_.push_back(static_cast<int>(i));
            x = 0;
        }
        lefts_[i] = x;
        x += boxes_[i].width;
        begins_row = boxes_[i].ends_row;
    }
}

TokenSpan TokenLayout::row(int row) const {
    return {row_begins_[static_cast<size_t>(row)],
            row + 1 < rows() ? row_begins_[static_cast<size_t>(row) + 1] : size()};
}

int TokenLayout::rowOf(int token) const {
    const auto after = std::upper_bound(row_begins_.begin(), row_begins_.end(), token);
    return static_cast<int>(after - row_begins_.begin()) - 1;
}

int TokenLayout::tokenAt(int row, double x) const {
    if (row < 0 || row >= rows())
        return -1;
    const int token = nearest(row, x);
    return x >= left(token) && x < left(token) + width(token) ? token : -1;
}

int TokenLayout::nearest(int row, double x) const {
    if (rows() == 0)
        return -1;
    const TokenSpan tokens = this->row(std::clamp(row, 0, rows() - 1));
    const auto begin = lefts_.begin() + tokens.from;
    const auto after = std::upper_bound(begin, lefts_.begin() + tokens.to, x);
    return tokens.from + std::max(0, static_cast<int>(after - begin) - 1);
}

}  // namespace spd
