#include "core/intervene/packed_lora.h"

#include <algorithm>

#include "core/intervene/folding.h"

namespace spd {

PackedLora::PackedLora(std::span<const Part> parts, int64_t in, ThreadPool& pool) {
    int64_t reduced = 0;
    for (const Part& part : parts)
        reduced += roundUpToLanes(part.module->r);
    a_ = PackedMatrix(reduced, in, DType::float32);
    int64_t first_input = 0;
    for (const Part& part : parts) {
        const LoraModule& module = *part.module;
        const auto columns = static_cast<int64_t>(module.b.size()) / module.r;
        a_.packRows(first_input, module.r, module.a.data());
        PackedMatrix b(columns, module.r, DType::float32);
        b.packRows(0, columns, foldedLoraB(module, part.map, pool).data());
        outputs_.push_back({std::move(b), first_input, part.first_column});
        first_input += roundUpToLanes(module.r);
        widest_ = std::max(widest_, columns);
    }
}

void PackedLora::add(ThreadPool& pool, const KernelTable& kernels, const float* x, int64_t x_stride,
                     int64_t rows, float* y, int64_t y_stride, Scratch& scratch) const {
    const int64_t reduced_stride = a_.out();
    const int64_t delta_stride = roundUpToLanes(widest_);
    scratch.reduced.resize(static_cast<size_t>(rows * reduced_stride));
    scratch.delta.resize(static_cast<size_t>(rows * delta_stride));
    a_.multiply(pool, kernels,
                {.x = x,
                 .x_stride = x_stride,
                 .rows = rows,
                 .first_block = 0,
                 .last_block = a_.blocks(),
                 .y = scratch.reduced.data(),
                 .y_stride = reduced_stride});
    for (const Output& output : outputs_) {
        output.b.multiply(pool, kernels,
                          {.x = scratch.reduced.data() + output.first_input,
                           .x_stride = reduced_stride,
                           .rows = rows,
                           .first_block = 0,
                           .last_block = output.b.blocks(),
                           .y = scratch.delta.data(),
                           .y_stride = delta_stride});
        pool.run(rows, [&](int, int64_t row) {
            kernels.add(scratch.delta.data() + row * delta_stride, output.b.out(),
                        y + row * y_stride + output.first_column);
        });
    }
}

int64_t PackedLora::bytes() const {
    int64_t total = a_.bytes();
    for (const Output& output : outputs_)
        total += output.b.bytes();
    return total;
}

}  // namespace spd
