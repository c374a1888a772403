#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace spd {

/// Index of the later one of two equal texts, if there are any; the first such pair in the order of the
/// texts. Sorts instead of hashing, since who chose the texts may have chosen them to collide: n log n, 24
/// bytes each.
std::optional<size_t> findDuplicate(const std::vector<std::string_view>& texts);

}  // namespace spd
