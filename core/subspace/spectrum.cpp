#include "core/subspace/spectrum.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/subspace/principal_angles.h"

namespace spd {
namespace {

struct Basis {
    Eigen::VectorXd singular_values;
    Eigen::MatrixXd vectors;  // rows
};

Basis basisOf(const Eigen::MatrixXd& gram) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
    if (solver.info() != Eigen::Success)
        throw Error(ErrorKind::internal, "the eigen-decomposition of a Gram matrix did not converge");
    // Ascending there, and a zero may come out a little below it.
    Basis basis = {solver.eigenvalues().reverse().cwiseMax(0.0).cwiseSqrt(),
                   solver.eigenvectors().rowwise().reverse().transpose()};
    for (auto row : basis.vectors.rowwise()) {
        Eigen::Index largest = 0;
        row.cwiseAbs().maxCoeff(&largest);
        if (row(largest) < 0)
            row = -row;
    }
    return basis;
}

}  // namespace

Spectrum spectrumOf(const Eigen::MatrixXd& even, const Eigen::MatrixXd& odd) {
    const Eigen::Index width = even.rows();
    if (even.cols() != width || odd.rows() != width || odd.cols() != width || width == 0)
        throw Error(ErrorKind::internal, "Gram matrices of two halves that are not square and alike");
    if (!even.allFinite() || !odd.allFinite())
        throw Error(ErrorKind::internal, "a Gram matrix has entries that are not finite");
    Spectrum spectrum;
    const Eigen::MatrixXd sum = even + odd;
    spectrum.gram = 0.5 * (sum + sum.transpose());
    Basis basis = basisOf(spectrum.gram);
    spectrum.singular_values = std::move(basis.singular_values);
    spectrum.right_singular_vectors = std::move(basis.vectors);
    setRanks(spectrum);
    if (even.isZero(0) || odd.isZero(0))
        spectrum.split_half_overlap =
            Eigen::VectorXd::LinSpaced(width, 1, static_cast<double>(width)) / static_cast<double>(width);
    else
        spectrum.split_half_overlap = subspaceOverlaps(basisOf(0.5 * (even + even.transpose())).vectors,
                                                       basisOf(0.5 * (odd + odd.transpose())).vectors);
    return spectrum;
}

void setRanks(Spectrum& spectrum) {
    const Eigen::VectorXd& s = spectrum.singular_values;
    spectrum.numeric_rank = 0;
    spectrum.effective_rank = spectrum.stable_rank = 0;
    if (s.size() == 0 || s(0) <= 0)
        return;
    spectrum.numeric_rank = (s.array() >= kNumericRankShare * s(0)).count();
    const double sum = s.sum();
    double entropy = 0;
    for (const double value : s)
        if (const double share = value / sum; share > 0)
            entropy -= share * std::log(share);
    spectrum.effective_rank = std::exp(entropy);
    spectrum.stable_rank = (s / s(0)).squaredNorm();
}

double energyOf(const Eigen::VectorXd& singular_values, int64_t rank) {
    const double total = singular_values.squaredNorm();
    return total > 0 ? singular_values.head(rank).squaredNorm() / total : 0;
}

int64_t rankOfEnergy(const Eigen::VectorXd& singular_values, double share) {
    if (singular_values.size() == 0 || singular_values(0) <= 0)
        return 0;
    const Eigen::VectorXd scaled = singular_values / singular_values(0);  // squares that cannot underflow
    double total = 0;
    for (const double value : scaled)
        total += value * value;
    double sum = 0;
    int64_t rank = 0;
    while (rank < scaled.size() && (rank == 0 || sum < share * total)) {
        sum += scaled(rank) * scaled(rank);
        ++rank;
    }
    return rank;
}

}  // namespace spd
