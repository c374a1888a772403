#pragma once

#include <cstdint>

namespace spd {

struct Interval {
    double low = 0;
    double high = 1;
};

/// Wilson's score interval for a share (Wilson 1927), 95 %.
/// @param correct  0 <= correct <= n.   @param n  >= 1
Interval wilsonInterval(int64_t correct, int64_t n);

}  // namespace spd
