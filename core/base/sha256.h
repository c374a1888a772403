#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace spd {

/// SHA-256, lower-case hex.
std::string sha256Hex(std::string_view bytes);

/// SHA-256 of a regular file's content, read piece by piece. @throws Error not_found, file_format (not a
/// regular file), io
std::string sha256OfFile(const std::filesystem::path& path);

}  // namespace spd
