#pragma once

#include <string>
#include <string_view>

namespace spd {

/// Without blanks (Unicode White_Space) at its ends, as Python's strip(). @param text  valid UTF-8
std::string_view trimBlanks(std::string_view text);

/// Runs of blanks (Unicode White_Space) as one space, none at the ends: what two texts that mean the same
/// prompt have in common. @param text  valid UTF-8
std::string normalizeBlanks(std::string_view text);

}  // namespace spd
