#pragma once

#include <string>
#include <string_view>

#include "core/text/unicode/source_map.h"

namespace spd::unicode {

/// Normalization form C as the `tokenizers` library computes it: characters younger than its tables
/// (Unicode 9.0) are left alone. Linear but for sorting long runs of combining marks (n log n).
/// @param text  valid UTF-8.
/// @param result  receives the form when it differs from `text`, else is untouched.
/// @param map  receives the stretches that changed, or nullptr.
/// @return whether it differs.
bool toNfc(std::string_view text, std::string& result, SourceMap* map);

}  // namespace spd::unicode
