#pragma once

#include <string_view>

namespace spd::test {

/// Whether `text` is UTF-8 (Unicode 15, table 3-7) and a JSON text by RFC 8259's grammar, sections 2 to 7,
/// and nothing else: no limits, no rules on equal names or surrogates. Written from the grammar, to be
/// compared with the parser.
bool isJsonText(std::string_view text);

}  // namespace spd::test
