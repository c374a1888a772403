// The inner loops of generation, written once and compiled by kernels_portable.cpp, kernels_avx2.cpp and
// kernels_avx512.cpp with that file's instruction set. Everything is in an unnamed namespace and uses no
// inline function of the standard library: the linker must never merge code of one instruction set into
// another's.
//
// Order of sums: `Lanes` are always 16 floats. An output of a linear sums k = 0, 1, 2, ...; in bfloat16 each
// pair of k adds its odd element first (the order that VDPBF16PS documents). Sums across lanes use one fixed
// tree.

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "core/kernels/kernel_table.h"

namespace spd {
namespace {

#define SPD_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512BF16__)
constexpr int kWidth = 16;
#elif defined(__AVX2__)
constexpr int kWidth = 8;
#else
constexpr int kWidth = 4;
#endif
constexpr int kParts = 16 / kWidth;

using Floats = float __attribute__((vector_size(4 * kWidth)));
using Ints = int32_t __attribute__((vector_size(4 * kWidth)));
using Words = uint32_t __attribute__((vector_size(4 * kWidth)));
using Halves = uint16_t __attribute__((vector_size(2 * kWidth)));

/// 16 floats in as many registers as it takes.
struct Lanes {
    Floats part[kParts];
};

SPD_INLINE Floats multiplyAdd(Floats a, Floats b, Floats c) {
#if defined(__AVX512BF16__)
    return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
    return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

SPD_INLINE Floats splat(float x) {
    return x - Floats{};
}

SPD_INLINE Floats maximum(Floats a, Floats b) {
    return a > b ? a : b;
}

SPD_INLINE Lanes broadcast(float x) {
    Lanes out;
    for (int p = 0; p < kParts; ++p)
        out.part[p] = splat(x);
    return out;
}

SPD_INLINE Lanes load(const float* from) {
    Lanes out;  // register by register: a copy of the whole struct would go through memory
    for (int p = 0; p < kParts; ++p)
        memcpy(&out.part[p], from + p * kWidth, sizeof(Floats));
    return out;
}

SPD_INLINE void store(const Lanes& from, float* to) {
    for (int p = 0; p < kParts; ++p)
        memcpy(to + p * kWidth, &from.part[p], sizeof(Floats));
}

SPD_INLINE Lanes multiplyAdd(const Lanes& a, const Lanes& b, const Lanes& c) {
    Lanes out;
    for (int p = 0; p < kParts; ++p)
        out.part[p] = multiplyAdd(a.part[p], b.part[p], c.part[p]);
    return out;
}

/// Sum of 16 lanes: halves are added until one is left.
SPD_INLINE float sumOfLanes(const Lanes& lanes) {
    float x[16];
    store(lanes, x);
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; ++i)
            x[i] += x[i + half];
    return x[0];
}

SPD_INLINE float maxOfLanes(const Lanes& lanes) {
    float x[16];
    store(lanes, x);
    for (int i = 1; i < 16; ++i)
        x[0] = x[i] > x[0] ? x[i] : x[0];
    return x[0];
}

SPD_INLINE Floats bits(Words words) {
    Floats out;
    memcpy(&out, &words, sizeof out);
    return out;
}

/// e^x to 2 units in the last place (Cody-Waite reduction, degree 6 Taylor remainder); 0 below -87.3.
SPD_INLINE Floats exponential(Floats x) {
    const Floats clamped = x < -87.3f ? splat(-87.3f) : (x > 88.7f ? splat(88.7f) : x);
    const Floats magic = splat(12582912.0f);  // 1.5 x 2^23: adding it rounds to an integer
    const Floats n = multiplyAdd(clamped, splat(1.44269504088896341f), magic) - magic;
    Floats r = multiplyAdd(n, splat(-0.693359375f), clamped);
    r = multiplyAdd(n, splat(2.12194440e-4f), r);
    Floats y = splat(1.9875691500e-4f);
    y = multiplyAdd(y, r, splat(1.3981999507e-3f));
    y = multiplyAdd(y, r, splat(8.3334519073e-3f));
    y = multiplyAdd(y, r, splat(4.1665795894e-2f));
    y = multiplyAdd(y, r, splat(1.6666665459e-1f));
    y = multiplyAdd(y, r, splat(5.0000001201e-1f));
    y = multiplyAdd(y, r * r, r) + 1.0f;
    const Ints exponent = __builtin_convertvector(n, Ints);
    const Words scale = (Words)(exponent + 127) << 23;
    const Floats result = y * bits(scale);
    return x < -87.3f ? splat(0.0f) : result;
}

// ---- element types: what a packed weight or a cache holds, and how 16 of them become floats

struct Float32 {
    using Element = float;
    SPD_INLINE Lanes load(const float* from) { return spd::load(from); }
};

struct BFloat16 {
    using Element = uint16_t;
    SPD_INLINE Lanes load(const uint16_t* from) {
        Lanes out;
        for (int p = 0; p < kParts; ++p) {
            Halves halves;
            memcpy(&halves, from + p * kWidth, sizeof halves);
            out.part[p] = bits(__builtin_convertvector(halves, Words) << 16);
        }
        return out;
    }
};

#if !defined(__AVX2__)
SPD_INLINE float halfToFloat(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t magnitude = half & 0x7FFFu;
    if (magnitude < 0x400u) {  // zero or subnormal: magnitude x 2^-24
        const float value = (float)magnitude * 5.9604644775390625e-8f;
        return sign ? -value : value;
    }
    const uint32_t word = sign | ((magnitude << 13) + (magnitude >= 0x7C00u ? 0x70000000u : 0x38000000u));
    float out;
    memcpy(&out, &word, sizeof out);
    return out;
}
#endif

struct Float16 {
    using Element = uint16_t;
    SPD_INLINE Lanes load(const uint16_t* from) {
        Lanes out;
#if defined(__AVX512BF16__)
        // maskz: gcc 12 warns of an uninitialised value inside the plain intrinsic
        out.part[0] = (Floats)_mm512_maskz_cvtph_ps((__mmask16)-1, _mm256_loadu_si256((const __m256i*)from));
#elif defined(__AVX2__)
        for (int p = 0; p < kParts; ++p)
            out.part[p] = (Floats)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)(from + p * kWidth)));
#else
        float x[16];
        for (int i = 0; i < 16; ++i)
            x[i] = halfToFloat(from[i]);
        out = spd::load(x);
#endif
        return out;
    }
};

// ---- linear

/// Accumulates one k (float32, float16) or one pair of k (bfloat16) for a tile of MR rows x NB blocks.
template <class Type>
struct Step {
    using Weight = typename Type::Element;
    using Input = float;
    static constexpr int64_t kPerStep = 1;
    static constexpr int64_t kWeightsPerStep = 16;

    template <int MR, int NB>
    SPD_INLINE void run(const Weight* const (&w)[NB], const Input* x, int64_t x_stride, int64_t step,
                        Lanes (&sum)[MR][NB]) {
        Lanes weight[NB];
#pragma GCC unroll 8
        for (int b = 0; b < NB; ++b)
            weight[b] = Type::load(w[b] + step * 16);
#pragma GCC unroll 8
        for (int m = 0; m < MR; ++m) {
            const Lanes value = broadcast(x[m * x_stride + step]);
#pragma GCC unroll 8
            for (int b = 0; b < NB; ++b)
                sum[m][b] = multiplyAdd(weight[b], value, sum[m][b]);
        }
    }
};

template <>
struct Step<BFloat16> {
    using Weight = uint16_t;
    using Input = uint16_t;
    static constexpr int64_t kPerStep = 2;
    static constexpr int64_t kWeightsPerStep = 32;

    template <int MR, int NB>
    SPD_INLINE void run(const Weight* const (&w)[NB], const Input* x, int64_t x_stride, int64_t step,
                        Lanes (&sum)[MR][NB]) {
        Words weight[NB][kParts];  // lane n holds the pair w[n][2 step], w[n][2 step + 1]
#pragma GCC unroll 8
        for (int b = 0; b < NB; ++b)
            for (int p = 0; p < kParts; ++p)
                memcpy(&weight[b][p], w[b] + step * 32 + p * 2 * kWidth, sizeof(Words));
#pragma GCC unroll 8
        for (int m = 0; m < MR; ++m) {
            uint32_t pair;
            memcpy(&pair, x + m * x_stride + 2 * step, sizeof pair);
#pragma GCC unroll 8
            for (int b = 0; b < NB; ++b)
                for (int p = 0; p < kParts; ++p)
                    sum[m][b].part[p] = addPair(sum[m][b].part[p], weight[b][p], pair);
        }
    }

    SPD_INLINE Floats addPair(Floats sum, Words weight, uint32_t pair) {
#if defined(__AVX512BF16__)
        return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)weight,
                                        (__m512bh)_mm512_set1_epi32((int)pair));
#else
        const Words values = pair - Words{};
        sum = multiplyAdd(bits(weight & 0xFFFF0000u), bits(values & 0xFFFF0000u), sum);
        return multiplyAdd(bits(weight << 16), bits(values << 16), sum);
#endif
    }
};

/// MR rows x NB blocks of 16 outputs, all of k, sums in registers.
template <class Type, int MR, int NB>
void tile(const LinearArgs& args, int64_t row, int64_t block) {
    using S = Step<Type>;
    const int64_t steps = args.in / S::kPerStep;
    const auto* x = (const typename S::Input*)args.x + row * args.x_stride;
    const typename S::Weight* w[NB];
    for (int b = 0; b < NB; ++b)
        w[b] = (const typename S::Weight*)args.weight + (block + b) * steps * S::kWeightsPerStep;

    Lanes sum[MR][NB] = {};
    for (int64_t step = 0; step < steps; ++step) {
        for (int b = 0; b < NB;
             ++b)  // 1 KiB ahead in each block's stream; past the end it is a harmless hint
            __builtin_prefetch((const char*)(w[b] + step * S::kWeightsPerStep) + 1024);
        S::template run<MR, NB>(w, x, args.x_stride, step, sum);
    }
    for (int m = 0; m < MR; ++m)
        for (int b = 0; b < NB; ++b) {
            float* y = args.y + (row + m) * args.y_stride + (block + b) * 16;
            if (args.bias != nullptr) {
                const Lanes bias = load(args.bias + (block + b) * 16);
                for (int p = 0; p < kParts; ++p)
                    sum[m][b].part[p] += bias.part[p];
            }
            store(sum[m][b], y);
        }
}

// Largest tile whose sums, weights and one broadcast value fit the registers.
#if defined(__AVX512BF16__)
constexpr int kMaxRows = 8;
constexpr int blocksFor(int rows) {
    return rows > 6 ? 3 : 4;
}
#elif defined(__AVX2__)
constexpr int kMaxRows = 4;
constexpr int blocksFor(int rows) {
    return rows > 2 ? 1 : rows > 1 ? 2 : 4;
}
#else
constexpr int kMaxRows = 2;
constexpr int blocksFor(int) {
    return 1;
}
#endif

template <class Type, int MR, int NB>
void blocks(const LinearArgs& args, int64_t row, int64_t first, int64_t last) {
    int64_t block = first;
    for (; block + NB <= last; block += NB)
        tile<Type, MR, NB>(args, row, block);
    if constexpr (NB > 1) {
        if (block < last)
            blocks<Type, MR, NB - 1>(args, row, block, last);
    }
}

template <class Type, int MR>
void remainingRows(const LinearArgs& args, int64_t row, int64_t first, int64_t last) {
    if (args.rows - row == MR)
        blocks<Type, MR, blocksFor(MR)>(args, row, first, last);
    else if constexpr (MR > 1)
        remainingRows<Type, MR - 1>(args, row, first, last);
}

/// Blocks outside, rows inside: a group of blocks stays in the cache while all rows pass.
template <class Type>
void linear(const LinearArgs& args) {
    constexpr int NB = blocksFor(kMaxRows);
    const int64_t full_rows = args.rows / kMaxRows * kMaxRows;
    if (full_rows == 0) {
        remainingRows<Type, kMaxRows - 1>(args, 0, args.first_block, args.last_block);
        return;
    }
    for (int64_t block = args.first_block; block < args.last_block; block += NB) {
        const int64_t last = block + NB < args.last_block ? block + NB : args.last_block;
        for (int64_t row = 0; row < full_rows; row += kMaxRows)
            blocks<Type, kMaxRows, NB>(args, row, block, last);
        if (full_rows < args.rows)
            remainingRows<Type, kMaxRows - 1>(args, full_rows, block, last);
    }
}

// ---- attention

constexpr int kMaxGroup = 8;

/// scores[g][j] = scale q[g] . k[j], and the largest of each g.
template <class Type, int G>
void scoreGroup(const AttentionArgs& args, const float* q, int64_t stride) {
    const auto* k = (const typename Type::Element*)args.k;
    for (int64_t block = 0; block * 16 < args.length; ++block) {
        Lanes sum[G] = {};
        for (int64_t d = 0; d < args.head_dim; ++d) {
            const Lanes key = Type::load(k + (block * args.head_dim + d) * 16);
#pragma GCC unroll 8
            for (int g = 0; g < G; ++g)
                sum[g] = multiplyAdd(key, broadcast(q[g * args.head_dim + d]), sum[g]);
        }
        for (int g = 0; g < G; ++g) {
            for (int p = 0; p < kParts; ++p)
                sum[g].part[p] *= args.scale;
            store(sum[g], args.scores + g * stride + block * 16);
        }
    }
}

/// Scores -> exp(score - max), unnormalised; positions past the length become 0. Returns the sum.
SPD_INLINE float exponentiate(float* scores, int64_t length, int64_t padded) {
    for (int64_t j = length; j < padded; ++j)
        scores[j] = -__builtin_inff();
    Lanes largest = broadcast(-__builtin_inff());
    for (int64_t j = 0; j < padded; j += 16) {
        const Lanes x = load(scores + j);
        for (int p = 0; p < kParts; ++p)
            largest.part[p] = maximum(largest.part[p], x.part[p]);
    }
    const Floats shift = splat(maxOfLanes(largest));
    Lanes sum = {};
    for (int64_t j = 0; j < padded; j += 16) {
        Lanes x = load(scores + j);
        for (int p = 0; p < kParts; ++p) {
            x.part[p] = exponential(x.part[p] - shift);
            sum.part[p] += x.part[p];
        }
        store(x, scores + j);
    }
    return sumOfLanes(sum);
}

/// out[d .. d + 16 NB) = sum over j of weight[j] v[j][d ..], j ascending, divided by `total`.
template <class Type, int NB>
void weightedValues(const AttentionArgs& args, const float* weights, float total, int64_t d, float* out) {
    const auto* v = (const typename Type::Element*)args.v + d;
    Lanes sum[NB] = {};
    for (int64_t j = 0; j < args.length; ++j) {
        const Lanes weight = broadcast(weights[j]);
#pragma GCC unroll 4
        for (int b = 0; b < NB; ++b)
            sum[b] = multiplyAdd(Type::load(v + j * args.value_stride + b * 16), weight, sum[b]);
    }
    for (int b = 0; b < NB; ++b) {
        for (int p = 0; p < kParts; ++p)
            sum[b].part[p] /= total;
        store(sum[b], out + d + b * 16);
    }
}

template <class Type, int G>
void attendGroup(const AttentionArgs& args, int64_t first) {
    const int64_t padded = roundUpToLanes(args.length);
    scoreGroup<Type, G>(args, args.q + first * args.head_dim, padded);
    for (int g = 0; g < G; ++g) {
        float* scores = args.scores + g * padded;
        float* out = args.out + (first + g) * args.out_stride;
        const float total = exponentiate(scores, args.length, padded);
        int64_t d = 0;
        for (; d + 64 <= args.value_stride; d += 64)
            weightedValues<Type, 4>(args, scores, total, d, out);
        for (; d < args.value_stride; d += 16)
            weightedValues<Type, 1>(args, scores, total, d, out);
    }
}

template <class Type, int G>
void attendRest(const AttentionArgs& args, int64_t first) {
    if (args.group - first == G)
        attendGroup<Type, G>(args, first);
    else if constexpr (G > 1)
        attendRest<Type, G - 1>(args, first);
}

template <class Type>
void attend(const AttentionArgs& args) {
    int64_t first = 0;
    for (; first + kMaxGroup <= args.group; first += kMaxGroup)
        attendGroup<Type, kMaxGroup>(args, first);
    if (first < args.group)
        attendRest<Type, kMaxGroup - 1>(args, first);
}

// ---- row operations; n need not be a multiple of 16, the tail is done on a padded copy

SPD_INLINE Lanes loadTail(const float* from, int64_t count) {
    float x[16] = {};
    memcpy(x, from, (size_t)count * sizeof(float));
    return load(x);
}

void rmsNorm(const float* x, const float* weight, int64_t n, float eps, float* y) {
    Lanes sum = {};
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const Lanes value = load(x + i);
        sum = multiplyAdd(value, value, sum);
    }
    if (i < n) {
        const Lanes value = loadTail(x + i, n - i);
        sum = multiplyAdd(value, value, sum);
    }
    const float scale = 1.0f / __builtin_sqrtf(sumOfLanes(sum) / (float)n + eps);
    for (int64_t j = 0; j < n; ++j)
        y[j] = weight[j] * (x[j] * scale);
}

SPD_INLINE Lanes siluMultiply(const Lanes& gate, const Lanes& up) {
    Lanes out;
    for (int p = 0; p < kParts; ++p)
        out.part[p] = gate.part[p] / (1.0f + exponential(-gate.part[p])) * up.part[p];
    return out;
}

void siluMultiplyRow(const float* gate, const float* up, int64_t n, float* y) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        store(siluMultiply(load(gate + i), load(up + i)), y + i);
    if (i < n) {
        float tail[16];
        store(siluMultiply(loadTail(gate + i, n - i), loadTail(up + i, n - i)), tail);
        memcpy(y + i, tail, (size_t)(n - i) * sizeof(float));
    }
}

void addRow(const float* x, int64_t n, float* y) {
    for (int64_t i = 0; i < n; ++i)
        y[i] += x[i];
}

SPD_INLINE uint16_t roundToBFloat16(float value) {
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    const uint32_t rounded = (word + 0x7FFFu + ((word >> 16) & 1u)) >> 16;
    return (uint16_t)((word & 0x7FFFFFFFu) > 0x7F800000u ? (word >> 16) | 0x40u : rounded);
}

void toBFloat16Row(const float* x, int64_t n, uint16_t* y) {
    for (int64_t i = 0; i < n; ++i)
        y[i] = roundToBFloat16(x[i]);
}

SPD_INLINE uint16_t roundToHalf(float value) {
#if defined(__AVX2__)
    return (uint16_t)_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT);
#else
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    const uint32_t sign = (word >> 16) & 0x8000u;
    word &= 0x7FFFFFFFu;
    if (word > 0x7F800000u)
        return (uint16_t)(sign | 0x7E00u);
    if (word >= 0x477FF000u)  // 65520 and above round to infinity
        return (uint16_t)(sign | 0x7C00u);
    if (word < 0x38800000u) {  // below 2^-14: adding 0.5 leaves the rounded multiple of 2^-24 in the low bits
        float magnitude;
        memcpy(&magnitude, &word, sizeof magnitude);
        magnitude += 0.5f;
        memcpy(&word, &magnitude, sizeof word);
        return (uint16_t)(sign | (word - 0x3F000000u));
    }
    return (uint16_t)(sign | ((word - 0x38000000u + 0xFFFu + ((word >> 13) & 1u)) >> 13));
#endif
}

void toFloat16Row(const float* x, int64_t n, uint16_t* y) {
    for (int64_t i = 0; i < n; ++i)
        y[i] = roundToHalf(x[i]);
}

void fromFloat16Row(const uint16_t* x, int64_t n, float* y) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        store(Float16::load(x + i), y + i);
    if (i < n) {
        uint16_t tail[16] = {};
        float values[16];
        memcpy(tail, x + i, (size_t)(n - i) * sizeof(uint16_t));
        store(Float16::load(tail), values);
        memcpy(y + i, values, (size_t)(n - i) * sizeof(float));
    }
}

constexpr KernelTable makeTable(Isa isa) {
    return {isa,
            linear<Float32>,
            linear<BFloat16>,
            linear<Float16>,
            attend<Float32>,
            attend<BFloat16>,
            attend<Float16>,
            rmsNorm,
            siluMultiplyRow,
            addRow,
            toBFloat16Row,
            toFloat16Row,
            fromFloat16Row};
}

#undef SPD_INLINE

}  // namespace
}  // namespace spd
