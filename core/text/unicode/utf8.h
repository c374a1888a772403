#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spd {
class SourceMap;
}

namespace spd::unicode {

struct CodePoint {
    uint32_t value;
    uint32_t length;  ///< bytes
};

/// The character at `at`, which must begin a character of valid UTF-8.
inline CodePoint decodeValid(const char* at) {
    const auto byte = [at](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(at[i])); };
    if (byte(0) < 0x80)
        return {byte(0), 1};
    if (byte(0) < 0xE0)
        return {((byte(0) & 0x1F) << 6) | (byte(1) & 0x3F), 2};
    if (byte(0) < 0xF0)
        return {((byte(0) & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F), 3};
    return {((byte(0) & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F),
            4};
}

/// The last character of `text`, which must be valid UTF-8 and not empty.
CodePoint decodeLast(std::string_view text);

/// Inside a character of valid UTF-8, or not its first byte.
inline bool isContinuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

void append(std::string& text, uint32_t code_point);

/// Length of the longest prefix that is valid UTF-8.
size_t validPrefix(std::string_view bytes);

/// Appends `bytes` to `text`; each maximal part that begins no character becomes one U+FFFD, as Python's
/// decode("utf-8", "replace") and Rust's from_utf8_lossy do it.
/// @param map  where the replacements are recorded, or nullptr; `text` must be empty then.
void appendReplacingInvalid(std::string& text, std::string_view bytes, SourceMap* map);

/// How many bytes at the end begin a character that more bytes could complete: 0 to 3.
size_t incompleteTail(std::string_view bytes);

}  // namespace spd::unicode
