#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spd {

/// Rows of a CSV text (RFC 4180, UTF-8, comma): fields in double quotes may hold commas, line breaks and
/// doubled quotes; rows end with LF, CRLF or CR, the last one may lack its end; empty lines are no rows. A
/// quote inside a field that does not begin with one is text. Line breaks in fields stay as they are.
/// @param file  name used in messages.
/// @throws Error file_format: "FILE: line N: RULE" (text after a closing quote, a quote that is never closed,
/// no UTF-8, NUL)
std::vector<std::vector<std::string>> parseCsv(std::string_view text, const std::string& file);

}  // namespace spd
