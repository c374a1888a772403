#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace spd {

/// What a foreign JSON text may be. Beyond RFC 8259 these are always refused: duplicate keys (also by another
/// escape), a byte order mark, invalid UTF-8, lone surrogate escapes, NUL in the text, numbers beyond
/// double's range, anything after the value.
struct JsonLimits {
    size_t max_bytes = size_t{1} << 20;
    int max_depth = 64;  ///< nested arrays and objects
    /// Values in all; keeps the tree below about 72 bytes each plus the text, whatever the text.
    size_t max_values = 8'000'000;
};

/// Parses `text` without recursion. Keys keep the file's order.
/// @param file  name used in messages.
/// @throws Error file_format: "FILE: byte N: RULE", where N bytes were read when the rule broke
nlohmann::ordered_json parseStrictJson(std::string_view text, const std::string& file,
                                       const JsonLimits& limits);

}  // namespace spd
