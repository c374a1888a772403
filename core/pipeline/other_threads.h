#pragma once

#include <cstdint>
#include <string>

namespace spd {

/// LibTorch rounds by the number of its threads, so work that is gone on with on another number ends in
/// other last digits.
/// @param what  that is done already: "steps".   @param before  threads that did it; 0: unknown.
/// @return the line that says so; empty where nothing is to be said.
std::string otherThreads(const std::string& what, int64_t before, int64_t now);

}  // namespace spd
