#pragma once

#include <cstddef>

#include "core/base/dtype.h"

namespace spd {

/// Converts `count` elements; rounds to nearest, ties to even; NaN stays NaN, too large becomes infinite.
/// The ranges may not overlap.
void convertElements(const void* from, DType from_type, void* to, DType to_type, size_t count);

}  // namespace spd
