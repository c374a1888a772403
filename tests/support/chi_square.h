#pragma once

#include <cstdint>
#include <span>

namespace spd::test {

/// Pearson's test of observed counts against probabilities.
struct ChiSquare {
    double statistic = 0;
    int cells = 0;         ///< after joining those that expect fewer than 5
    double p = 1;          ///< upper tail of the chi-square distribution with cells - 1 degrees of freedom
    bool possible = true;  ///< false when a count stands where the probability is 0; p is 0 then
};

ChiSquare chiSquare(std::span<const int64_t> counts, std::span<const double> probabilities);

/// Q(a, x), the upper regularised incomplete gamma function; a > 0, x >= 0.
double upperGamma(double a, double x);

}  // namespace spd::test
