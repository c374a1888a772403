#include "core/kernels/packed_matrix.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/error.h"

namespace spd {

PackedMatrix::PackedMatrix(int64_t out, int64_t in, DType dtype) : out_(out), in_(in), dtype_(dtype) {
    const auto size = static_cast<size_t>(bytes());
    void* memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        throw Error(ErrorKind::out_of_memory, "no memory for a weight of " + std::to_string(size) + " bytes");
    madvise(memory, size, MADV_HUGEPAGE);
    data_ = memory;
}

PackedMatrix& PackedMatrix::operator=(PackedMatrix&& other) noexcept {
    if (this != &other) {
        release();
        out_ = std::exchange(other.out_, 0);
        in_ = std::exchange(other.in_, 0);
        dtype_ = other.dtype_;
        data_ = std::exchange(other.data_, nullptr);
    }
    return *this;
}

PackedMatrix::~PackedMatrix() {
    release();
}

void PackedMatrix::release() {
    if (data_ != nullptr)
        munmap(data_, static_cast<size_t>(bytes()));
    data_ = nullptr;
}

int64_t PackedMatrix::bytes() const {
    return blocks() * kLanes * inStride() * bytesPerElement(dtype_);
}

namespace {

/// One output row into its lane: unit k of the row goes to to[k * 16].
template <class Unit>
void scatterRow(const Unit* row, int64_t units, Unit* to) {
    for (int64_t k = 0; k < units; ++k)
        to[k * kLanes] = row[k];
}

/// 16 rows at once: reads 16 streams and writes whole cache lines.
template <class Unit>
void scatterBlock(const char* rows, int64_t row_bytes, int64_t units, Unit* to) {
    for (int64_t k = 0; k < units; ++k)
        for (int64_t lane = 0; lane < kLanes; ++lane)
            std::memcpy(&to[k * kLanes + lane],
                        rows + lane * row_bytes + k * static_cast<int64_t>(sizeof(Unit)), sizeof(Unit));
}

}  // namespace

void PackedMatrix::packRows(int64_t first_row, int64_t count, const void* row_major) {
    const auto* from = static_cast<const char*>(row_major);
    const int64_t row_bytes = in_ * bytesPerElement(dtype_);
    const int64_t block_bytes = kLanes * inStride() * bytesPerElement(dtype_);
    const bool whole_units = dtype_ != DType::bfloat16 || in_ % 2 == 0;
    for (int64_t i = 0; i < count;) {
        const int64_t row = first_row + i;
        char* block = static_cast<char*>(data_) + row / kLanes * block_bytes;
        const int64_t lane = row % kLanes;
        if (lane == 0 && i + kLanes <= count && whole_units) {
            if (dtype_ == DType::float16)
                scatterBlock(from, row_bytes, in_, reinterpret_cast<uint16_t*>(block));
            else
                scatterBlock(from, row_bytes, row_bytes / 4, reinterpret_cast<uint32_t*>(block));
            i += kLanes;
            from += kLanes * row_bytes;
            continue;
        }
        if (dtype_ == DType::float32) {
            scatterRow(reinterpret_cast<const uint32_t*>(from), in_,
                       reinterpret_cast<uint32_t*>(block) + lane);
        } else if (dtype_ == DType::float16) {
            scatterRow(reinterpret_cast<const uint16_t*>(from), in_,
                       reinterpret_cast<uint16_t*>(block) + lane);
        } else {
            const auto* source = reinterpret_cast<const uint16_t*>(from);
            auto* target = reinterpret_cast<uint16_t*>(block) + 2 * lane;
            for (int64_t k = 0; k < in_; ++k)
                target[k / 2 * 2 * kLanes + k % 2] = source[k];
        }
        ++i;
        from += row_bytes;
    }
}

void PackedMatrix::unpackRow(int64_t row, float* to) const {
    const char* block =
        static_cast<const char*>(data_) + row / kLanes * kLanes * inStride() * bytesPerElement(dtype_);
    const int64_t lane = row % kLanes;
    if (dtype_ == DType::float32) {
        const auto* values = reinterpret_cast<const float*>(block) + lane;
        for (int64_t k = 0; k < in_; ++k)
            to[k] = values[k * kLanes];
    } else if (dtype_ == DType::bfloat16) {
        const auto* pairs = reinterpret_cast<const uint16_t*>(block) + 2 * lane;
        for (int64_t k = 0; k < in_; ++k)
            to[k] = fromBFloat16(pairs[k / 2 * 2 * kLanes + k % 2]);
    } else {
        const auto* halves = reinterpret_cast<const uint16_t*>(block) + lane;
        for (int64_t k = 0; k < in_; ++k)
            kernelTable(Isa::portable).from_float16(halves + k * kLanes, 1, to + k);
    }
}

namespace {

auto linearOf(const KernelTable& kernels, DType dtype) {
    return dtype == DType::float32    ? kernels.linear_float32
           : dtype == DType::bfloat16 ? kernels.linear_bfloat16
                                      : kernels.linear_float16;
}

}  // namespace

void PackedMatrix::multiply(ThreadPool& pool, const KernelTable& kernels, const void* x, int64_t rows,
                            const float* bias, float* y, int64_t y_stride) const {
    multiply(pool, kernels,
             {.x = x,
              .x_stride = inStride(),
              .rows = rows,
              .bias = bias,
              .last_block = blocks(),
              .y = y,
              .y_stride = y_stride});
}

void PackedMatrix::multiply(ThreadPool& pool, const KernelTable& kernels, LinearArgs args) const {
    args.weight = data_;
    args.in = inStride();
    // About four chunks a thread, in fours of blocks (the kernels' widest tile): a thread that was put aside
    // holds up little.
    const int64_t count = args.last_block - args.first_block;
    const int64_t fair = count / (4 * pool.size());
    const int64_t chunk = std::max<int64_t>(4, fair / 4 * 4);
    const auto linear = linearOf(kernels, dtype_);
    pool.run((count + chunk - 1) / chunk, [&](int, int64_t item) {
        LinearArgs piece = args;
        piece.first_block = args.first_block + item * chunk;
        piece.last_block = std::min(args.last_block, piece.first_block + chunk);
        linear(piece);
    });
}

void PackedMatrix::multiplyRow(const KernelTable& kernels, const float* x, float* y) const {
    linearOf(kernels, dtype_)({.weight = data_,
                               .in = inStride(),
                               .x = x,
                               .x_stride = inStride(),
                               .rows = 1,
                               .last_block = blocks(),
                               .y = y,
                               .y_stride = kLanes * blocks()});
}

}  // namespace spd
