#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "core/io/adapter.h"
#include "core/kernels/packed_matrix.h"

namespace spd {

/// LoRA of linears that read the same input and write side by side (q, k and v; or o alone), packed for the
/// kernels in float32: y += B (A x), scale and map inside B. Each output sums over the input, then over the
/// rank, in one fixed order, whatever the other rows. Immutable; reading is thread-safe.
class PackedLora {
public:
    struct Part {
        const LoraModule* module;
        const Eigen::MatrixXd* map;  ///< of the output's projection, or nullptr
        int64_t first_column;        ///< of y
    };
    /// Memory that add() works in; one a caller, reused.
    struct Scratch {
        std::vector<float> reduced;  // [rows, sum of the ranks, each rounded up to 16]: A x
        std::vector<float> delta;    // [rows, widest output rounded up to 16]
    };

    /// @param parts  not empty; their modules have the input width `in`.   @throws Error out_of_memory
    PackedLora(std::span<const Part> parts, int64_t in, ThreadPool& pool);

    /// @param x  [rows, x_stride], float32; x_stride >= in, and where in is odd the element past it is zero.
    /// @param y  [rows, y_stride]
    void add(ThreadPool& pool, const KernelTable& kernels, const float* x, int64_t x_stride, int64_t rows,
             float* y, int64_t y_stride, Scratch& scratch) const;

    int64_t bytes() const;

private:
    struct Output {
        PackedMatrix b;        // [columns, r]
        int64_t first_input;   // of the reduced row
        int64_t first_column;  // of y
    };

    PackedMatrix a_;  // the A of all parts on top of each other, each padded to 16 rows: [sum of ranks, in]
    std::vector<Output> outputs_;
    int64_t widest_ = 0;
};

}  // namespace spd
