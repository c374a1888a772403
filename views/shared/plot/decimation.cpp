#include "views/shared/plot/decimation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace spd {

namespace {

/// What is kept of the points of one pixel column.
class Column {
public:
    void add(size_t at, double value) {
        if (count_++ == 0)
            first_ = lowest_ = highest_ = at, low_ = high_ = value;
        if (value < low_)
            lowest_ = at, low_ = value;
        if (value > high_)
            highest_ = at, high_ = value;
        last_ = at;
    }

    void moveTo(std::vector<PlotPoint>& points, std::span<const double> x, std::span<const double> y) {
        if (count_ > 0) {
            size_t kept[] = {first_, std::min(lowest_, highest_), std::max(lowest_, highest_), last_};
            const auto end = std::unique(std::begin(kept), std::end(kept));
            for (auto at = std::begin(kept); at != end; ++at)
                points.push_back({x[*at], y[*at]});
        }
        count_ = 0;
    }

private:
    size_t count_ = 0;
    size_t first_ = 0, lowest_ = 0, highest_ = 0, last_ = 0;
    double low_ = 0, high_ = 0;
};

/// Where the visible points begin and end, one beyond either border included.
std::pair<size_t, size_t> visible(std::span<const double> x, double from, double to) {
    const auto first = std::lower_bound(x.begin(), x.end(), from);
    const auto last = std::upper_bound(first, x.end(), to);
    const size_t begin = static_cast<size_t>(first - x.begin());
    const size_t end = static_cast<size_t>(last - x.begin());
    return {begin > 0 ? begin - 1 : 0, std::min(end + 1, x.size())};
}

}  // namespace

std::vector<PlotPoint> decimate(std::span<const double> x, std::span<const double> y, double from, double to,
                                size_t columns, bool log_x) {
    const size_t size = std::min(x.size(), y.size());
    const auto [begin, end] = visible(x.first(size), from, to);
    std::vector<PlotPoint> points;
    const auto position = [log_x](double value) { return log_x ? std::log(value) : value; };
    const double width = (position(to) - position(from)) / static_cast<double>(std::max<size_t>(columns, 1));
    if (end - begin <= 4 * columns || !(width > 0) || !std::isfinite(width)) {
        for (size_t i = begin; i < end; ++i)
            points.push_back({x[i], y[i]});
        return points;
    }
    points.reserve(4 * columns + 8);
    Column column;
    double column_end = -std::numeric_limits<double>::infinity();
    const double start = position(from);
    for (size_t i = begin; i < end; ++i) {
        const double at = position(x[i]);
        if (!(at < column_end)) {
            column.moveTo(points, x, y);
            column_end = start + width * (std::floor((at - start) / width) + 1);
        }
        if (std::isfinite(y[i])) {
            column.add(i, y[i]);
            continue;
        }
        column.moveTo(points, x, y);
        if (points.empty() || std::isfinite(points.back().y))
            points.push_back({x[i], std::numeric_limits<double>::quiet_NaN()});
    }
    column.moveTo(points, x, y);
    return points;
}

}  // namespace spd
