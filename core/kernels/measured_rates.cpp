#include "core/kernels/measured_rates.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/kernels/packed_matrix.h"

namespace spd {
namespace {

/// Every element a small number, written by the threads that will read it. Memory that was never written
/// would be one page of zeros, read from the cache.
PackedMatrix filledMatrix(ThreadPool& pool, int64_t out, int64_t in, DType dtype) {
    PackedMatrix matrix(out, in, dtype);
    const std::vector<float> singles(static_cast<size_t>(kLanes * in), 0.01f);
    const std::vector<uint16_t> halves(static_cast<size_t>(kLanes * in), toBFloat16(0.01f));
    const void* rows = dtype == DType::float32 ? static_cast<const void*>(singles.data()) : halves.data();
    pool.run(matrix.blocks(), [&](int, int64_t block) { matrix.packRows(block * kLanes, kLanes, rows); });
    return matrix;
}

/// Seconds of the fastest of the passes that fit into `budget` seconds (at least two).
double fastestPass(ThreadPool& pool, const KernelTable& kernels, const PackedMatrix& matrix, int64_t rows,
                   double budget) {
    using Clock = std::chrono::steady_clock;
    const std::vector<float> x(static_cast<size_t>(rows * matrix.inStride()), 0.0f);  // 0.0f in either type
    std::vector<float> y(static_cast<size_t>(rows * matrix.blocks() * kLanes));
    const auto start = Clock::now();
    double best = 0;
    for (int pass = 0; pass < 2 || std::chrono::duration<double>(Clock::now() - start).count() < budget;
         ++pass) {
        const auto before = Clock::now();
        matrix.multiply(pool, kernels, x.data(), rows, nullptr, y.data(), matrix.blocks() * kLanes);
        const double seconds = std::chrono::duration<double>(Clock::now() - before).count();
        best = pass == 0 ? seconds : std::min(best, seconds);
    }
    return best;
}

double gflops(ThreadPool& pool, const KernelTable& kernels, DType dtype) {
    constexpr int64_t rows = 64, out = 4864, in = 896;  // the widest linear of the 0.5B shape
    const PackedMatrix matrix = filledMatrix(pool, out, in, dtype);
    return 2e-9 * rows * out * in / fastestPass(pool, kernels, matrix, rows, 0.25);
}

}  // namespace

MeasuredRates measureRates(ThreadPool& pool, const KernelTable& kernels) {
    MeasuredRates rates;
    rates.float32_gflops = gflops(pool, kernels, DType::float32);
    rates.bfloat16_gflops = gflops(pool, kernels, DType::bfloat16);
    // Four to eight times a usual last-level cache, so that the memory is what is measured.
    const PackedMatrix large = filledMatrix(pool, int64_t{1} << 17, 1024, DType::bfloat16);
    rates.weights_gb_per_s =
        1e-9 * static_cast<double>(large.bytes()) / fastestPass(pool, kernels, large, 1, 0.25);
    return rates;
}

}  // namespace spd
