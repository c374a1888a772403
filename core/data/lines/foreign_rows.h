#pragma once

#include <string>
#include <string_view>

namespace spd {

/// What a file that is no JSON Lines file is, said before its first row is read: what foreignKind() knows,
/// "UTF-16 text". Empty for anything that could be JSON Lines with or without bad rows.
/// @param head  the file's first bytes; 4 KiB are enough.
std::string foreignRows(std::string_view head);

/// The same for a text whose first row is no JSON: "CSV", "one JSON array", "one JSON value over several
/// lines". Empty when it looks like JSON Lines with a bad first row.
std::string foreignText(std::string_view head);

}  // namespace spd
