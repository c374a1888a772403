#include "tests/support/chi_square.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace spd::test {

namespace {

/// P(a, x) by its series: converges fast for x < a + 1.
double lowerSeries(double a, double x) {
    double term = 1 / a;
    double sum = term;
    for (double n = a + 1; term > sum * 1e-17; ++n)
        sum += term *= x / n;
    return sum * std::exp(a * std::log(x) - x - std::lgamma(a));
}

/// Q(a, x) by its continued fraction (modified Lentz): for x >= a + 1.
double upperFraction(double a, double x) {
    constexpr double kTiny = 1e-300;
    double b = x + 1 - a;
    double c = 1 / kTiny;
    double d = 1 / b;
    double value = d;
    double change = 0;
    for (int i = 1; i < 100'000 && std::abs(change - 1) > 1e-15; ++i) {
        const double numerator = -i * (i - a);
        b += 2;
        d = numerator * d + b;
        d = 1 / (std::abs(d) < kTiny ? kTiny : d);
        c = b + numerator / c;
        c = std::abs(c) < kTiny ? kTiny : c;
        change = c * d;
        value *= change;
    }
    return value * std::exp(a * std::log(x) - x - std::lgamma(a));
}

}  // namespace

double upperGamma(double a, double x) {
    if (x <= 0)
        return 1;
    return x < a + 1 ? 1 - lowerSeries(a, x) : upperFraction(a, x);
}

ChiSquare chiSquare(std::span<const int64_t> counts, std::span<const double> probabilities) {
    const auto samples = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
    ChiSquare result;
    double rest_expected = 0;
    double rest_observed = 0;
    const auto addCell = [&](double observed, double expected) {
        result.statistic += (observed - expected) * (observed - expected) / expected;
        ++result.cells;
    };
    for (size_t i = 0; i < counts.size(); ++i) {
        const double expected = probabilities[i] * samples;
        const auto observed = static_cast<double>(counts[i]);
        if (expected >= 5) {
            addCell(observed, expected);
            continue;
        }
        result.possible = result.possible && (expected > 0 || counts[i] == 0);
        rest_expected += expected;
        rest_observed += observed;
    }
    if (rest_expected > 0)
        addCell(rest_observed, rest_expected);
    if (!result.possible)
        result.p = 0;
    else if (result.cells > 1)
        result.p = upperGamma((result.cells - 1) / 2.0, result.statistic / 2);
    return result;
}

}  // namespace spd::test
