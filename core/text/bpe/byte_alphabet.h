#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spd {

/// Byte-level BPE writes each byte as one printable character (GPT-2's bytes_to_unicode): printable ASCII and
/// most of Latin-1 as themselves, the rest as U+0100 and following.

/// UTF-8 of the character that stands for `byte`.
const std::string& characterOfByte(unsigned char byte);

/// `bytes` written in the alphabet.
std::string toByteCharacters(std::string_view bytes);

/// The bytes that `token` (valid UTF-8) stands for; nullopt when it has a character outside the alphabet.
std::optional<std::string> fromByteCharacters(std::string_view token);

}  // namespace spd
