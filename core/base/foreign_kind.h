#pragma once

#include <string>
#include <string_view>

namespace spd {

/// What a file is that is not what its name says, from its first bytes: "gzip; unpack it first", "Parquet",
/// "an HTML page". Asked by readers whose own format the file is not; empty when nothing is recognised. Only
/// what no short binary number looks like counts, so that a truncated file is not taken for another kind.
/// @param head  the file's first bytes; 64 are enough unless blanks come first.
std::string foreignKind(std::string_view head);

}  // namespace spd
