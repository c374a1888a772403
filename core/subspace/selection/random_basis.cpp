#include "core/subspace/selection/random_basis.h"

#include <Eigen/QR>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/base/philox.h"

namespace spd {
namespace {

/// In (0, 1]: its logarithm is finite.
double uniform(uint32_t high, uint32_t low) {
    const uint64_t bits = (uint64_t{high} << 32 | low) >> 11;
    return (static_cast<double>(bits) + 1) * 0x1p-53;
}

}  // namespace

Eigen::MatrixXd randomBasis(uint64_t seed, const KvTarget& target, int64_t head, int64_t rank,
                            int64_t width) {
    // A pair of normal numbers (Box and Muller) takes a block; row after row, column after column.
    const auto pairs = static_cast<size_t>((width + 1) / 2);
    std::vector<uint32_t> words(4 * pairs * static_cast<size_t>(rank));
    const PhiloxCounter first = {static_cast<uint32_t>(target.layer),
                                 static_cast<uint32_t>(target.stream == KvStream::k ? 0 : 1),
                                 static_cast<uint32_t>(head), 0};
    philoxFill(seed, first, words);
    Eigen::MatrixXd columns(width, rank);
    for (Eigen::Index row = 0; row < width; ++row)
        for (Eigen::Index column = 0; column < rank; ++column) {
            const size_t pair = static_cast<size_t>(column) * pairs + static_cast<size_t>(row) / 2;
            const uint32_t* word = words.data() + 4 * pair;
            const double radius = std::sqrt(-2 * std::log(uniform(word[0], word[1])));
            const double angle = 2 * std::numbers::pi * uniform(word[2], word[3]);
            columns(row, column) = radius * (row % 2 == 0 ? std::cos(angle) : std::sin(angle));
        }
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(columns);
    return (qr.householderQ() * Eigen::MatrixXd::Identity(width, rank)).transpose();
}

}  // namespace spd
