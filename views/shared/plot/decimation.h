#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace spd {

struct PlotPoint {
    double x = 0;
    double y = 0;
};

/// The visible part of a curve for a screen of `columns` pixels: where a column holds more than four points,
/// its first, lowest, highest and last one in their order, so that no peak is lost. One point beyond either
/// border is kept: lines reach the edge. Points that are not finite separate lines and are kept as one.
/// @param x  ascending.  @param from, to  the visible range.
/// @param log_x  columns are equally wide in log x; then from > 0.
/// Time: linear in the visible points, a millisecond or two for a million.
std::vector<PlotPoint> decimate(std::span<const double> x, std::span<const double> y, double from, double to,
                                size_t columns, bool log_x = false);

}  // namespace spd
