#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/dtype.h"
#include "core/io/adapter.h"
#include "core/kernels/thread_pool.h"

namespace spd {

/// M W in float64: row i, column c is the sum over k, k ascending, of M[i][k] W[k][c]: the bits depend
/// neither on the threads nor on the processor. Zeros of M are skipped, so block-diagonal maps cost their
/// blocks.
/// @param map  M, [d, d].   @param weight  W, [d, columns], row-major.
/// @return [d, columns], row-major
std::vector<double> foldMap(const Eigen::MatrixXd& map, std::span<const float> weight, int64_t columns,
                            ThreadPool& pool);

/// Each value rounded once, to the nearest of `dtype` (ties to even), into out[count].
void roundTo(DType dtype, std::span<const double> exact, void* out);
/// The same, as float32 that hold values of `dtype`.
std::vector<float> roundedTo(DType dtype, std::span<const double> exact);

/// What is added to a linear's output is foldedLoraB(...) (A x): scale B, or scale M B where the output is
/// projected with M; product in float64, rounded once to float32.
/// @param map  M or nullptr.   @return [out, r], row-major
std::vector<float> foldedLoraB(const LoraModule& module, const Eigen::MatrixXd* map, ThreadPool& pool);

}  // namespace spd
