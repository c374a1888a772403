#pragma once

#include <filesystem>
#include <string>

namespace spd {

/// Appends "2026-01-31T12:00:00Z TEXT" to a log file, which is made where there is none. Several writers may
/// append to one file: a line is one write. @param text  without line end. @throws Error not_found, io
void appendToRunLog(const std::filesystem::path& path, const std::string& text);

}  // namespace spd
