#include "core/intervene/folding.h"

#include <bit>
#include <cmath>
#include <limits>

#include "core/kernels/kernel_table.h"

namespace spd {
namespace {

constexpr int64_t kColumns = 16;  // sums of one row and 16 columns stay in registers

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// out[0, count) = sum over k of map_row[k] weight[k][0, count); `weight` is [d, kColumns].
void foldRow(const double* map_row, const double* weight, int64_t d, int64_t count, double* out) {
    double sum[kColumns] = {};
    for (int64_t k = 0; k < d; ++k) {
        const double factor = map_row[k];
        if (factor == 0)
            continue;
        for (int64_t c = 0; c < kColumns; ++c)
            sum[c] += factor * weight[k * kColumns + c];
    }
    for (int64_t c = 0; c < count; ++c)
        out[c] = sum[c];
}

/// A float whose rounding to 16 bits is that of `exact`: where `exact` is no float, the neighbour with an odd
/// last bit stands on the same side of every tie.
float roundToOdd(double exact) {
    const auto nearest = static_cast<float>(exact);
    if (static_cast<double>(nearest) == exact || (std::bit_cast<uint32_t>(nearest) & 1u) != 0 ||
        !std::isfinite(nearest))
        return nearest;
    const float infinity = std::numeric_limits<float>::infinity();
    return std::nextafter(nearest, exact > static_cast<double>(nearest) ? infinity : -infinity);
}

}  // namespace

std::vector<double> foldMap(const Eigen::MatrixXd& map, std::span<const float> weight, int64_t columns,
                            ThreadPool& pool) {
    const int64_t d = map.rows();
    const RowMajor rows = map;
    std::vector<double> folded(static_cast<size_t>(d * columns));
    std::vector<double> pieces(static_cast<size_t>(pool.size() * d * kColumns));
    pool.run((columns + kColumns - 1) / kColumns, [&](int thread, int64_t item) {
        const int64_t first = item * kColumns;
        const int64_t count = std::min(kColumns, columns - first);
        double* piece = pieces.data() + thread * d * kColumns;
        for (int64_t k = 0; k < d; ++k)
            for (int64_t c = 0; c < kColumns; ++c)
                piece[k * kColumns + c] =
                    c < count ? static_cast<double>(weight[static_cast<size_t>(k * columns + first + c)]) : 0;
        for (int64_t i = 0; i < d; ++i)
            foldRow(rows.data() + i * d, piece, d, count, folded.data() + i * columns + first);
    });
    return folded;
}

void roundTo(DType dtype, std::span<const double> exact, void* out) {
    for (size_t i = 0; i < exact.size(); ++i) {
        if (dtype == DType::float32) {
            static_cast<float*>(out)[i] = static_cast<float>(exact[i]);
            continue;
        }
        const float odd = roundToOdd(exact[i]);
        uint16_t* half = static_cast<uint16_t*>(out) + i;
        if (dtype == DType::bfloat16)
            *half = toBFloat16(odd);
        else
            kernelTable(Isa::portable).to_float16(&odd, 1, half);
    }
}

std::vector<float> roundedTo(DType dtype, std::span<const double> exact) {
    std::vector<float> values(exact.size());
    if (dtype == DType::float32) {
        roundTo(dtype, exact, values.data());
        return values;
    }
    std::vector<uint16_t> halves(exact.size());
    roundTo(dtype, exact, halves.data());
    if (dtype == DType::float16)
        kernelTable(Isa::portable)
            .from_float16(halves.data(), static_cast<int64_t>(halves.size()), values.data());
    else
        for (size_t i = 0; i < halves.size(); ++i)
            values[i] = fromBFloat16(halves[i]);
    return values;
}

std::vector<float> foldedLoraB(const LoraModule& module, const Eigen::MatrixXd* map, ThreadPool& pool) {
    std::vector<double> exact(module.b.begin(), module.b.end());
    if (map != nullptr)
        exact = foldMap(*map, module.b, module.r, pool);
    for (double& value : exact)
        value *= module.scale;
    return roundedTo(DType::float32, exact);
}

}  // namespace spd
