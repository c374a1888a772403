#include "core/subspace/principal_angles.h"

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>

namespace spd {
namespace {

Eigen::VectorXd singularValues(const Eigen::MatrixXd& matrix) {
    return Eigen::BDCSVD<Eigen::MatrixXd>(matrix).singularValues();
}

}  // namespace

Eigen::VectorXd principalAngles(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    if (a.rows() < b.rows())
        return principalAngles(b, a);
    const Eigen::MatrixXd products = b * a.transpose();
    const Eigen::VectorXd cosines = singularValues(products);                  // descending
    const Eigen::VectorXd sines = singularValues(b - products * a).reverse();  // ascending
    Eigen::VectorXd angles(b.rows());
    for (Eigen::Index i = 0; i < angles.size(); ++i)
        angles(i) = sines(i) * sines(i) < 0.5 ? std::asin(sines(i)) : std::acos(std::min(cosines(i), 1.0));
    return angles;
}

Eigen::VectorXd subspaceOverlaps(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    const Eigen::MatrixXd squares = (a * b.transpose()).cwiseAbs2();
    Eigen::VectorXd overlaps(squares.rows());
    double sum = 0;
    for (Eigen::Index r = 0; r < overlaps.size(); ++r) {
        sum += squares.row(r).head(r + 1).sum() + squares.col(r).head(r).sum();
        overlaps(r) = std::min(sum / static_cast<double>(r + 1), 1.0);
    }
    return overlaps;
}

}  // namespace spd
