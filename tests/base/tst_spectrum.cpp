// Spectra by way of Gram matrices against singular value decompositions of the gradients themselves and cases
// that can be done by hand; principal angles against rotations of known angles.

#include <Eigen/QR>
#include <Eigen/SVD>
#include <QTest>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "core/subspace/principal_angles.h"
#include "core/subspace/spectrum.h"
#include "tests/support/refusal.h"
#include "tests/support/subspaces.h"

using namespace spd;
using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

namespace {

Matrix gramOf(const Matrix& g) {
    return g.transpose() * g;
}

/// Even and odd examples of ten rows each.
Spectrum spectrumOfRows(const Matrix& g) {
    Matrix halves[2] = {Matrix::Zero(g.cols(), g.cols()), Matrix::Zero(g.cols(), g.cols())};
    for (Eigen::Index row = 0; row < g.rows(); row += 10)
        halves[row / 10 % 2] += gramOf(g.middleRows(row, 10));
    return spectrumOf(halves[0], halves[1]);
}

Matrix rowsOfHalf(const Matrix& g, Eigen::Index half) {
    Matrix rows(0, g.cols());
    for (Eigen::Index row = 10 * half; row < g.rows(); row += 20) {
        rows.conservativeResize(rows.rows() + 10, Eigen::NoChange);
        rows.bottomRows(10) = g.middleRows(row, 10);
    }
    return rows;
}

/// Right singular vectors as rows.
Matrix vectorsOf(const Matrix& g) {
    return Eigen::JacobiSVD<Matrix>(g, Eigen::ComputeFullV).matrixV().transpose();
}

Matrix diagonal(std::initializer_list<double> squares) {
    Matrix matrix =
        Matrix::Zero(static_cast<Eigen::Index>(squares.size()), static_cast<Eigen::Index>(squares.size()));
    Eigen::Index i = 0;
    for (const double square : squares) {
        matrix(i, i) = square;
        ++i;
    }
    return matrix;
}

}  // namespace

class TestSpectrum : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void equalsTheDecompositionOfTheGradients();
    void overlapsEqualThoseOfTheHalves();
    void signsAndOrder();
    void ranksByHand();
    void numericRankAtItsBorder();
    void zeroGradients();
    void energyByHand();
    void anglesOfRotations();
    void anglesOfDifferentRanks();
    void refusesWhatIsNotFinite();
};

void TestSpectrum::equalsTheDecompositionOfTheGradients() {
    double worst_value = 0, worst_angle = 0;
    for (const Eigen::Index width : {1, 2, 16, 48}) {
        const Matrix g = test::randomGradients(200, width, width, static_cast<uint32_t>(width));
        const Spectrum spectrum = spectrumOfRows(g);
        const Eigen::JacobiSVD<Matrix> svd(g, Eigen::ComputeFullV);
        const Vector& expected = svd.singularValues();
        worst_value =
            std::max(worst_value, (spectrum.singular_values - expected).cwiseAbs().maxCoeff() / expected(0));
        for (Eigen::Index r = 1; r < width; ++r) {
            if ((expected(r - 1) - expected(r)) / expected(0) < 4e-3)
                continue;
            const Vector angles = principalAngles(spectrum.right_singular_vectors.topRows(r),
                                                  svd.matrixV().leftCols(r).transpose());
            worst_angle = std::max(worst_angle, std::sin(angles(r - 1)));
        }
        QVERIFY((spectrum.gram - gramOf(g)).cwiseAbs().maxCoeff() < 1e-12 * expected(0) * expected(0));
    }
    std::printf(
        "measured: singular values by way of Gram matrices: largest difference %.2g of the largest; "
        "largest sine between subspaces %.2g\n",
        worst_value, worst_angle);
    QVERIFY(worst_value < 1e-12);
    QVERIFY(worst_angle < 1e-10);
}

void TestSpectrum::overlapsEqualThoseOfTheHalves() {
    const Eigen::Index width = 24;
    const Matrix g = test::randomGradients(200, width, width, 5);
    const Spectrum spectrum = spectrumOfRows(g);
    const Matrix even = vectorsOf(rowsOfHalf(g, 0)), odd = vectorsOf(rowsOfHalf(g, 1));
    double worst = 0;
    for (Eigen::Index r = 1; r <= width; ++r) {
        const double expected =
            (even.topRows(r) * odd.topRows(r).transpose()).squaredNorm() / static_cast<double>(r);
        worst = std::max(worst, std::abs(spectrum.split_half_overlap(r - 1) - expected));
    }
    std::printf("measured: split-half overlap at %d ranks: largest difference %.2g\n",
                static_cast<int>(width), worst);
    QVERIFY(worst < 1e-9);
    QVERIFY(spectrum.split_half_overlap(0) > 0.5);  // random bases of rank 1 would give about 1/24
    QVERIFY(std::abs(spectrum.split_half_overlap(width - 1) - 1) < 1e-12);
}

void TestSpectrum::signsAndOrder() {
    const Spectrum spectrum = spectrumOfRows(test::randomGradients(100, 12, 12, 9));
    for (Eigen::Index i = 0; i < 12; ++i) {
        const auto row = spectrum.right_singular_vectors.row(i);
        QVERIFY(row.maxCoeff() >= -row.minCoeff());
        QVERIFY(i == 0 || spectrum.singular_values(i) <= spectrum.singular_values(i - 1));
    }
    const Matrix& v = spectrum.right_singular_vectors;
    QVERIFY((v * v.transpose() - Matrix::Identity(12, 12)).cwiseAbs().maxCoeff() < 1e-12);
}

void TestSpectrum::ranksByHand() {
    const Spectrum spectrum = spectrumOf(diagonal({4, 4, 0}), diagonal({0, 5, 0}));  // s^2 = 9, 4, 0
    QVERIFY(spectrum.singular_values.isApprox(Vector{{3, 2, 0}}, 1e-14));
    QVERIFY(spectrum.right_singular_vectors.isApprox(Matrix{{0, 1, 0}, {1, 0, 0}, {0, 0, 1}}, 1e-14));
    QCOMPARE(spectrum.numeric_rank, 2);
    QVERIFY(std::abs(spectrum.effective_rank - std::exp(-0.6 * std::log(0.6) - 0.4 * std::log(0.4))) < 1e-12);
    QVERIFY(std::abs(spectrum.stable_rank - 13.0 / 9) < 1e-12);
    const Spectrum flat = spectrumOf(diagonal({1, 1, 1, 1}), diagonal({1, 1, 1, 1}));
    QVERIFY(std::abs(flat.effective_rank - 4) < 1e-12 && std::abs(flat.stable_rank - 4) < 1e-12);
}

void TestSpectrum::numericRankAtItsBorder() {
    const Matrix zero = Matrix::Zero(3, 3);
    QCOMPARE(spectrumOf(diagonal({1, 1.02e-12, 0.98e-12}), zero).numeric_rank, 2);
    QCOMPARE(spectrumOf(1e-40 * diagonal({1, 1.02e-12, 0.98e-12}), zero).numeric_rank, 2);
}

void TestSpectrum::zeroGradients() {
    const Matrix zero = Matrix::Zero(4, 4);
    const Spectrum spectrum = spectrumOf(zero, zero);
    QCOMPARE(spectrum.numeric_rank, 0);
    QCOMPARE(spectrum.effective_rank, 0.0);
    QCOMPARE(spectrum.stable_rank, 0.0);
    QVERIFY(spectrum.right_singular_vectors.isUnitary());
    // One example: the odd half is a random subspace.
    const Spectrum one = spectrumOf(gramOf(test::randomGradients(50, 4, 4, 3)), zero);
    QVERIFY(one.split_half_overlap.isApprox(Vector{{0.25, 0.5, 0.75, 1}}, 1e-15));
}

void TestSpectrum::energyByHand() {
    const Vector s{{3, 2, 1, 0}};  // squares 9, 4, 1 of 14
    QCOMPARE(rankOfEnergy(s, 1e-9), 1);
    QCOMPARE(rankOfEnergy(s, 9.0 / 14 - 1e-12), 1);
    QCOMPARE(rankOfEnergy(s, 9.0 / 14 + 1e-12), 2);
    QCOMPARE(rankOfEnergy(s, 0.95), 3);
    QCOMPARE(rankOfEnergy(s, 1), 3);
    QCOMPARE(rankOfEnergy(1e-200 * s, 0.95), 3);
    QCOMPARE(rankOfEnergy(Vector::Zero(3), 0.5), 0);
}

void TestSpectrum::anglesOfRotations() {
    // Two planes in 5 dimensions, the second turned out of the first by two known angles, in a random frame.
    const Matrix frame = Eigen::HouseholderQR<Matrix>(test::randomGradients(5, 5, 5, 2)).householderQ();
    double worst = 0;
    for (const auto& [small, large] :
         {std::pair{1e-9, 0.3}, {0.0, 1.2}, {0.7, std::numbers::pi / 2}, {1e-12, 1e-5}}) {
        Matrix a = Matrix::Zero(2, 5), b = Matrix::Zero(2, 5);
        a(0, 0) = a(1, 1) = 1;
        b(0, 0) = std::cos(large);
        b(0, 2) = std::sin(large);
        b(1, 1) = std::cos(small);
        b(1, 3) = std::sin(small);
        const Vector angles = principalAngles(a * frame, b * frame);
        worst = std::max({worst, std::abs(angles(0) - small), std::abs(angles(1) - large)});
    }
    std::printf("measured: principal angles of known rotations: largest difference %.2g\n", worst);
    QVERIFY(worst < 1e-14);
}

void TestSpectrum::anglesOfDifferentRanks() {
    const Matrix all = Eigen::HouseholderQR<Matrix>(test::randomGradients(6, 6, 6, 4)).householderQ();
    QVERIFY(principalAngles(all.topRows(4), all.middleRows(1, 2)).maxCoeff() < 1e-7);
    QVERIFY(
        principalAngles(all.topRows(2), all.bottomRows(3)).isApproxToConstant(std::numbers::pi / 2, 1e-12));
}

void TestSpectrum::refusesWhatIsNotFinite() {
    Matrix bad = Matrix::Identity(3, 3);
    bad(1, 1) = std::nan("");
    QVERIFY(test::refusalOf([&] { spectrumOf(Matrix::Identity(3, 3), bad); }));
    QVERIFY(test::refusalOf([&] { spectrumOf(Matrix::Identity(3, 3), Matrix::Identity(2, 2)); }));
}

QTEST_GUILESS_MAIN(TestSpectrum)
#include "tst_spectrum.moc"
