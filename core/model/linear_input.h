#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/dtype.h"
#include "core/kernels/kernel_table.h"
#include "core/kernels/thread_pool.h"

namespace spd {

/// Rows of activations in the type that a linear reads: float32, or bfloat16 beside bfloat16 weights.
class LinearInput {
public:
    void resize(int64_t rows, int64_t stride, DType dtype) {
        stride_ = stride;
        rounded_ = dtype == DType::bfloat16;
        if (rounded_)
            halves_.resize(static_cast<size_t>(rows * stride));
        else
            floats_.resize(static_cast<size_t>(rows * stride));
    }

    void setRow(const KernelTable& kernels, int64_t row, int64_t first, const float* values, int64_t count) {
        const auto offset = static_cast<size_t>(row * stride_ + first);
        if (rounded_)
            kernels.to_bfloat16(values, count, halves_.data() + offset);
        else
            std::copy_n(values, count, floats_.data() + offset);
    }

    int64_t stride() const { return stride_; }

    /// From this row on, as the linear reads it.
    const void* data(int64_t row = 0) const {
        return rounded_ ? static_cast<const void*>(halves_.data() + row * stride_)
                        : static_cast<const void*>(floats_.data() + row * stride_);
    }

    /// `count` rows as float32, [count, stride()]: the same numbers. Copied into `scratch` where they are
    /// bfloat16.
    const float* floats(ThreadPool& pool, int64_t first, int64_t count, std::vector<float>& scratch) const {
        if (!rounded_)
            return floats_.data() + first * stride_;
        scratch.resize(static_cast<size_t>(count * stride_));
        pool.run(count, [&](int, int64_t row) {
            const uint16_t* from = halves_.data() + (first + row) * stride_;
            std::transform(from, from + stride_, scratch.data() + row * stride_, fromBFloat16);
        });
        return scratch.data();
    }

private:
    int64_t stride_ = 0;
    bool rounded_ = false;
    std::vector<float> floats_;  // zero where never written: the element past an odd width stays 0
    std::vector<uint16_t> halves_;
};

}  // namespace spd
