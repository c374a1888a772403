#pragma once

#include <Eigen/Core>

namespace spd {

/// Angles between the subspaces that the rows of two orthonormal bases span, in radians, ascending, in
/// [0, pi/2]; as many as the smaller subspace has dimensions. Small angles keep their digits (Björck and
/// Golub, Numerical methods for computing angles between linear subspaces, 1973: sines below 45 degrees,
/// cosines above).
/// @param a  [p, w]   @param b  [q, w]
Eigen::VectorXd principalAngles(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

/// |A_r B_r^T|_F^2 / r for every r = 1 .. w, of the first r rows of both bases; [w]. One matrix product in
/// all.
/// @param a  [w, w], orthonormal rows.   @param b  the same.
Eigen::VectorXd subspaceOverlaps(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

}  // namespace spd
