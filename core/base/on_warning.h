#pragma once

#include <functional>
#include <string>

namespace spd {

/// Where a stage says, a line at a time, what a person should know and what stops nothing; may be empty.
using OnWarning = std::function<void(const std::string&)>;

}  // namespace spd
