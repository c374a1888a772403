#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "core/subspace/subspace.h"

namespace spd {

/// Orthonormal rows whose span is uniformly distributed among the subspaces of that rank: a function of
/// (seed, layer, K or V, head) alone. The first rows do not depend on the rank. Thread-safe.
/// @param head  the KV head where each has its own basis, else 0.
/// @return [rank, width]
Eigen::MatrixXd randomBasis(uint64_t seed, const KvTarget& target, int64_t head, int64_t rank, int64_t width);

}  // namespace spd
