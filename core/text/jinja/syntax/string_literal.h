#pragma once

#include <string>
#include <string_view>

namespace spd::jinja {

/// Resolves Python's escapes in the inside of a string literal; an unknown escape stands for itself.
/// @throws Fault at `line`: \N{...}, a surrogate, a number short of digits, a backslash before a non-ASCII
/// character
std::string unescapeString(std::string_view literal, int line);

}  // namespace spd::jinja
