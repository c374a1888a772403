#include "core/evaluate/statistics.h"

#include <algorithm>
#include <cmath>

namespace spd {

Interval wilsonInterval(int64_t correct, int64_t n) {
    constexpr double z = 1.959963984540054;  // normal quantile at 0.975
    const auto count = static_cast<double>(n);
    const double share = static_cast<double>(correct) / count;
    const double denominator = 1 + z * z / count;
    const double centre = (share + z * z / (2 * count)) / denominator;
    const double half =
        z / denominator * std::sqrt(share * (1 - share) / count + z * z / (4 * count * count));
    // At the ends rounding may leave the exact 0 or 1.
    return {correct == 0 ? 0 : std::max(0.0, centre - half), correct == n ? 1 : std::min(1.0, centre + half)};
}

}  // namespace spd
