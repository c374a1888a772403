#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace spd {

/// Whole content of a regular file; opened with O_NONBLOCK and checked by fstat first, so that a FIFO, device or
/// folder is refused instead of hanging.
/// @throws Error not_found, file_format (not a regular file, larger than max_bytes), io
std::string readFile(const std::filesystem::path& path, size_t max_bytes);

/// Replaces `path` by `content`: temporary file in the same folder, fsync, rename, fsync of the folder. The old
/// file is whole until the new one is. @throws Error io
void writeFileAtomically(const std::filesystem::path& path, std::string_view content);

/// SHA-256, lower-case hex.
std::string sha256Hex(std::string_view bytes);

}  // namespace spd
