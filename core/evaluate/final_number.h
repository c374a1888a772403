#pragma once

#include <optional>
#include <string_view>

namespace spd {

/// The number that a worked solution ends with, as a reader would take it. What comes after the beginning of
/// another question ("Question:" or "Q:" at a line's begin) is not the solution's. In this order: the last
/// \boxed{...}; the first #### ; the last "answer is" or "answer:" (any case) with a number behind it on its
/// line; else the last number of all. Currency signs, thousands commas, a percent sign, units, and a true
/// minus (U+2212) are understood: "$1,200.50" is 1200.5.
/// @return nothing where there is no number
std::optional<double> solutionNumber(std::string_view solution);

/// Whether two answers are the same number, to 1e-6 of the larger.
bool isSameNumber(double a, double b);

}  // namespace spd
