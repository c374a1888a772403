#pragma once

#include "core/kernels/kernel_table.h"
#include "core/kernels/thread_pool.h"

namespace spd {

/// What generation's linears reach on this machine right now. Each value is the best of some passes: a busy
/// neighbour makes them smaller, nothing makes them larger.
struct MeasuredRates {
    double float32_gflops = 0;  ///< 10^9 multiplications and additions a second, 64 rows at once
    double bfloat16_gflops = 0;
    double weights_gb_per_s =
        0;  ///< 10^9 bytes of bfloat16 weights read a second, one row at a time: bounds decoding
};

/// Takes about a second and 256 MiB.
MeasuredRates measureRates(ThreadPool& pool, const KernelTable& kernels);

}  // namespace spd
