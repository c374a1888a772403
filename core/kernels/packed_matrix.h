#pragma once

#include <cstdint>
#include <span>

#include "core/base/dtype.h"
#include "core/kernels/kernel_table.h"
#include "core/kernels/thread_pool.h"

namespace spd {

/// The weight of a linear, [out, in], laid out once at load for the kernels: blocks of 16 output rows, inside
/// a block k-major; bfloat16 keeps pairs of k together (what VDPBF16PS multiplies):
///   float32, float16  [out / 16][in][16]
///   bfloat16          [out / 16][in / 2][16][2]
/// `out` is padded to a multiple of 16 with zero rows, `in` to an even number. Memory is anonymous, in huge
/// pages where the system grants them. Movable, not copyable. Reading is thread-safe; so is packRows on
/// disjoint blocks of 16 rows.
class PackedMatrix {
public:
    PackedMatrix() = default;
    /// All zero. @throws Error out_of_memory
    PackedMatrix(int64_t out, int64_t in, DType dtype);
    PackedMatrix(PackedMatrix&& other) noexcept { *this = static_cast<PackedMatrix&&>(other); }
    PackedMatrix& operator=(PackedMatrix&& other) noexcept;
    ~PackedMatrix();

    int64_t out() const { return out_; }
    int64_t in() const { return in_; }
    DType dtype() const { return dtype_; }
    int64_t blocks() const { return (out_ + kLanes - 1) / kLanes; }
    int64_t bytes() const;

    /// Copies `count` rows of a row-major [.., in] matrix of this dtype to output rows first_row ...
    void packRows(int64_t first_row, int64_t count, const void* row_major);

    /// Row `row` as float32 (an embedding lookup in a tied head).
    void unpackRow(int64_t row, float* to) const;

    /// y = x W^T + bias for `rows` rows.
    /// @param x  [rows, inStride()]: float32, or bfloat16 when dtype() is; where in() is odd, the one past it
    /// is zero.
    /// @param bias  [16 x blocks()] or nullptr.   @param y  [rows, y_stride], y_stride >= 16 x blocks().
    void multiply(ThreadPool& pool, const KernelTable& kernels, const void* x, int64_t rows,
                  const float* bias, float* y, int64_t y_stride) const;
    /// The same for some of the blocks or another x_stride; weight and in of `args` are filled in.
    void multiply(ThreadPool& pool, const KernelTable& kernels, LinearArgs args) const;
    /// All blocks of one float32 row on the calling thread, for use inside a loop of the pool.
    /// @param x  [inStride()], float32: not for bfloat16.   @param y  [16 x blocks()]
    void multiplyRow(const KernelTable& kernels, const float* x, float* y) const;

    /// Elements between rows of x: in() rounded up to an even number.
    int64_t inStride() const { return (in_ + 1) / 2 * 2; }

private:
    void release();

    int64_t out_ = 0;
    int64_t in_ = 0;
    DType dtype_ = DType::float32;
    void* data_ = nullptr;
};

}  // namespace spd
