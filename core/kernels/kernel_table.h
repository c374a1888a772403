#pragma once

#include <cstdint>
#include <string_view>

namespace spd {

/// Instruction sets that the kernels are compiled for; the best that the processor has is chosen at run time.
enum class Isa { portable, avx2, avx512_bf16 };

constexpr std::string_view name(Isa isa) {
    switch (isa) {
        case Isa::avx512_bf16:
            return "AVX-512 BF16";
        case Isa::avx2:
            return "AVX2/FMA";
        case Isa::portable:
            break;
    }
    return "portable";
}

/// Width of a block of output rows in packed weights, of a block of positions in the K cache, and the
/// multiple that every row of activations is padded to. Sums over lanes always run over these 16, whatever
/// the registers.
inline constexpr int64_t kLanes = 16;

constexpr int64_t roundUpToLanes(int64_t n) {
    return (n + kLanes - 1) / kLanes * kLanes;
}

/// y[r][n] = sum over k of x[r][k] w[n][k] (+ bias[n]), k ascending for every output: the bits of a row
/// depend neither on the other rows nor on which blocks a call computes.
struct LinearArgs {
    const void* weight = nullptr;  ///< packed blocks of PackedMatrix
    int64_t in = 0;                ///< k runs over [0, in); even for bfloat16
    const void* x = nullptr;       ///< [rows, x_stride]: float32, or bfloat16 when the weights are
    int64_t x_stride = 0;          ///< elements
    int64_t rows = 0;
    const float* bias = nullptr;  ///< [16 x blocks] or nullptr
    int64_t first_block = 0;      ///< the 16-row blocks [first_block, last_block) of the weight are computed
    int64_t last_block = 0;
    float* y = nullptr;  ///< [rows, y_stride], columns 16 first_block .. 16 last_block are written
    int64_t y_stride = 0;
};

/// Softmax(scale q K^T) V of one token and one KV head, over cache positions [0, length).
struct AttentionArgs {
    const float* q;  ///< [group, head_dim]: the query heads that share this KV head
    const void* k;   ///< blocks of 16 positions: [ceil(length / 16), head_dim, 16]
    const void* v;   ///< [length, value_stride]
    int64_t head_dim;
    int64_t value_stride;  ///< head_dim rounded up to 16; the tail is zero
    int64_t length;
    int64_t group;
    float scale;
    float* scores;  ///< scratch, [8, length rounded up to 16]
    float* out;     ///< [group, out_stride]
    int64_t out_stride;
};

/// One implementation of every inner loop of generation. Each function works on a single thread, allocates
/// nothing, and sums in one fixed order.
struct KernelTable {
    Isa isa;
    void (*linear_float32)(const LinearArgs&);
    void (*linear_bfloat16)(const LinearArgs&);
    void (*linear_float16)(const LinearArgs&);
    void (*attend_float32)(const AttentionArgs&);
    void (*attend_bfloat16)(const AttentionArgs&);
    void (*attend_float16)(const AttentionArgs&);
    /// y = x / sqrt(mean(x^2) + eps) * weight over n elements (RMSNorm of the three families).
    void (*rms_norm)(const float* x, const float* weight, int64_t n, float eps, float* y);
    /// y = silu(gate) * up
    void (*silu_multiply)(const float* gate, const float* up, int64_t n, float* y);
    /// y += x
    void (*add)(const float* x, int64_t n, float* y);
    void (*to_bfloat16)(const float* x, int64_t n, uint16_t* y);
    void (*to_float16)(const float* x, int64_t n, uint16_t* y);
    void (*from_float16)(const uint16_t* x, int64_t n, float* y);
};

/// The best instruction set of this processor.
Isa detectIsa();

/// @param isa  must be one that detectIsa() allows: it or a lesser one.
const KernelTable& kernelTable(Isa isa);

}  // namespace spd
