#pragma once

#include <filesystem>
#include <string>

namespace spd::store {

// A file in the folder of a deleted run that names the run: when the folder is where it was again, the run
// is.

/// @throws Error io
void writeDeletionMark(const std::filesystem::path& folder, const std::string& run);
bool isMovedBack(const std::filesystem::path& folder, const std::string& run);
void removeDeletionMark(const std::filesystem::path& folder) noexcept;

}  // namespace spd::store
