#pragma once

#include <bit>
#include <cstdint>

namespace spd {

// log and exp in double whose bits depend neither on the processor nor on the C library, which picks another
// implementation where it finds FMA. Compiled without contraction (CMakeLists.txt). Errors stay below 2 units
// in the last place. Both are branch-free enough that loops over exp become vector instructions.

/// log((1 + s) / (1 - s)) for |s| <= 0.1716: twice the series of atanh, cut where its terms leave double.
inline double logOfRatio(double s) {
    const double t = s * s;
    double sum = 1.0 / 21;
    for (const double coefficient :
         {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3})
        sum = sum * t + coefficient;
    return 2 * s + 2 * s * (t * sum);
}

/// Natural logarithm of a positive normal number.
inline double reproducibleLog(double x) {
    constexpr uint64_t kSqrtHalfBits = 0x3FE6A09E667F3BCD;
    // x = 2^exponent m, m in [sqrt(1/2), sqrt(2))
    const uint64_t offset = std::bit_cast<uint64_t>(x) - kSqrtHalfBits;
    const int64_t exponent = static_cast<int64_t>(offset) >> 52;
    const double m =
        std::bit_cast<double>(std::bit_cast<uint64_t>(x) - (static_cast<uint64_t>(exponent) << 52));
    constexpr double kLn2High = 0x1.62e42fefa3800p-1;  // 42 bits: its product with any exponent is exact
    constexpr double kLn2Low = 0x1.ef35793c76730p-45;
    const auto k = static_cast<double>(exponent);
    return k * kLn2High + (logOfRatio((m - 1) / (m + 1)) + k * kLn2Low);
}

/// e^x for x <= 0; 0 below -708, where doubles begin to lose digits.
inline double reproducibleExp(double x) {
    constexpr double kLog2E = 0x1.71547652b82fep+0;
    constexpr double kLn2High = 0x1.62e42fefa3800p-1;
    constexpr double kLn2Low = 0x1.ef35793c76730p-45;
    constexpr double kRound = 0x1.8p52;  // adding it leaves the nearest integer in the low bits
    const double shifted = x * kLog2E + kRound;
    const double k = shifted - kRound;
    const double r = (x - k * kLn2High) - k * kLn2Low;
    // Taylor, |r| <= ln(2) / 2; written out, since a loop here keeps the caller's loop from becoming vectors
    double sum = 1.0 / 6227020800;
    sum = sum * r + 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 0.5;
    sum = sum * r + 1;
    sum = sum * r + 1;
    const uint64_t scale = (std::bit_cast<uint64_t>(shifted) << 52) + 0x3FF0000000000000;
    const double power = sum * std::bit_cast<double>(scale);
    return x < -708 ? 0.0 : power;
}

}  // namespace spd
