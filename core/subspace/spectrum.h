#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "core/subspace/subspace.h"

namespace spd {

/// A singular value counts towards the numeric rank from this share of the largest one on: below it a float32
/// backward pass is rounding noise.
inline constexpr double kNumericRankShare = 1e-6;

/// Spectrum of G out of the Gram matrices of its even and its odd examples (paper Eq. 9, by way of
/// G^T G = V diag(s^2) V^T in float64). A half without gradients counts as a random subspace: the overlap is
/// its chance level then. Equal bits for equal matrices. Takes O(w^3) time and about 6 matrices [w, w].
/// Thread-safe.
/// @param even  [w, w], symmetric up to rounding.   @param odd  the same size.
/// @throws Error internal: entries that are not finite, sizes that differ
Spectrum spectrumOf(const Eigen::MatrixXd& even, const Eigen::MatrixXd& odd);

/// numeric_rank, effective_rank and stable_rank out of the singular values.
void setRanks(Spectrum& spectrum);

/// Share of the sum of squares that the first `rank` singular values hold; 0 when G is zero.
double energyOf(const Eigen::VectorXd& singular_values, int64_t rank);

/// Smallest r whose energy, the sum of the first r s^2 over all, is at least `share`; 0 when G is zero.
/// @param share  in (0, 1]
int64_t rankOfEnergy(const Eigen::VectorXd& singular_values, double share);

}  // namespace spd
