// The linear and row kernels of generation against sums in double, their instruction sets against each other,
// and the promise that a row's bits depend on nothing but the row.

#include <QTest>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "core/kernels/packed_matrix.h"

using namespace spd;

namespace {

std::vector<Isa> availableIsas() {
    std::vector<Isa> isas = {Isa::portable};
    if (detectIsa() != Isa::portable)
        isas.push_back(Isa::avx2);
    if (detectIsa() == Isa::avx512_bf16)
        isas.push_back(Isa::avx512_bf16);
    return isas;
}

std::vector<float> randomFloats(int64_t count, uint32_t seed, float scale = 1.0f) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0f, scale);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values)
        value = normal(generator);
    return values;
}

/// A random linear in one compute type, as the kernels read it and as floats.
struct Linear {
    int64_t out, in;
    DType dtype;
    std::vector<float> weight;  // after rounding to dtype
    std::vector<float> bias;
    PackedMatrix packed;

    Linear(int64_t out_rows, int64_t in_columns, DType type)
        : out(out_rows),
          in(in_columns),
          dtype(type),
          weight(randomFloats(out * in, 7, 0.1f)),
          packed(out, in, type) {
        bias = randomFloats(packed.blocks() * kLanes, 8);
        if (dtype == DType::float32) {
            packed.packRows(0, out, weight.data());
            return;
        }
        const KernelTable& kernels = kernelTable(Isa::portable);
        std::vector<uint16_t> halves(weight.size());
        if (dtype == DType::bfloat16) {
            kernels.to_bfloat16(weight.data(), out * in, halves.data());
            for (size_t i = 0; i < halves.size(); ++i)
                weight[i] = fromBFloat16(halves[i]);
        } else {
            kernels.to_float16(weight.data(), out * in, halves.data());
            kernels.from_float16(halves.data(), out * in, weight.data());
        }
        packed.packRows(0, out, halves.data());
    }

    /// Rows of x as the kernel wants them: [rows, inStride], bfloat16 beside bfloat16 weights.
    std::vector<char> input(const std::vector<float>& x, int64_t rows) const {
        const auto bytes = static_cast<size_t>(dtype == DType::bfloat16 ? 2 : 4);
        std::vector<char> buffer(static_cast<size_t>(rows * packed.inStride()) * bytes);
        for (int64_t r = 0; r < rows; ++r) {
            char* row = buffer.data() + static_cast<size_t>(r * packed.inStride()) * bytes;
            if (dtype == DType::bfloat16)
                kernelTable(Isa::portable)
                    .to_bfloat16(x.data() + r * in, in, reinterpret_cast<uint16_t*>(row));
            else
                std::memcpy(row, x.data() + r * in, static_cast<size_t>(in) * 4);
        }
        return buffer;
    }

    std::vector<float> run(ThreadPool& pool, Isa isa, const std::vector<float>& x, int64_t rows) const {
        const int64_t stride = packed.blocks() * kLanes;
        std::vector<float> y(static_cast<size_t>(rows * stride), NAN);
        packed.multiply(pool, kernelTable(isa), input(x, rows).data(), rows, bias.data(), y.data(), stride);
        return y;
    }
};

}  // namespace

class TestKernels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void linearMatchesDouble_data() { shapes(); }
    void linearMatchesDouble();
    void rowDoesNotDependOnBatchOrThreads_data() { shapes(); }
    void rowDoesNotDependOnBatchOrThreads();
    void float32BitsAreEqualWithFma();
    void unpackRowReturnsTheRow_data() { shapes(); }
    void unpackRowReturnsTheRow();
    void rowOperationsMatchDouble();
    void halfConversionsAreExact();

private:
    static void shapes() {
        QTest::addColumn<int>("out");
        QTest::addColumn<int>("in");
        QTest::newRow("one output") << 1 << 1;
        QTest::newRow("odd") << 33 << 27;
        QTest::newRow("small") << 48 << 64;
        QTest::newRow("uneven blocks") << 16 * 13 + 5 << 96;
        QTest::newRow("wide") << 130 << 1537;
    }
    static constexpr DType kTypes[] = {DType::float32, DType::bfloat16, DType::float16};
};

void TestKernels::linearMatchesDouble() {
    QFETCH(int, out);
    QFETCH(int, in);
    ThreadPool pool(2);
    double worst = 0;
    for (DType dtype : kTypes) {
        const Linear linear(out, in, dtype);
        const int64_t rows = 11;
        std::vector<float> x = randomFloats(rows * in, 3);
        if (dtype == DType::bfloat16)
            for (float& value : x)
                value = fromBFloat16(toBFloat16(value));
        for (Isa isa : availableIsas()) {
            const std::vector<float> y = linear.run(pool, isa, x, rows);
            for (int64_t r = 0; r < rows; ++r)
                for (int64_t n = 0; n < out; ++n) {
                    double sum = linear.bias[static_cast<size_t>(n)];
                    double magnitude = std::abs(sum);
                    for (int64_t k = 0; k < in; ++k) {
                        const double product =
                            static_cast<double>(x[static_cast<size_t>(r * in + k)]) *
                            static_cast<double>(linear.weight[static_cast<size_t>(n * in + k)]);
                        sum += product;
                        magnitude += std::abs(product);
                    }
                    const double value = y[static_cast<size_t>(r * linear.packed.blocks() * kLanes + n)];
                    worst = std::max(worst, std::abs(value - sum) / magnitude);
                }
        }
    }
    std::printf(
        "measured: linear %dx%d, all types and instruction sets: largest error / sum of |products| %.2g\n",
        out, in, worst);
    QVERIFY(worst < 2e-6);
}

void TestKernels::rowDoesNotDependOnBatchOrThreads() {
    QFETCH(int, out);
    QFETCH(int, in);
    ThreadPool one(1);
    ThreadPool three(3);
    const int64_t rows = 19;
    const std::vector<float> x = randomFloats(rows * in, 5);
    for (DType dtype : kTypes) {
        const Linear linear(out, in, dtype);
        const auto stride = static_cast<size_t>(linear.packed.blocks() * kLanes);
        for (Isa isa : availableIsas()) {
            const std::vector<float> together = linear.run(three, isa, x, rows);
            for (int64_t r = 0; r < rows; ++r) {
                const std::vector<float> alone =
                    linear.run(one, isa, std::vector<float>(x.begin() + r * in, x.begin() + (r + 1) * in), 1);
                QVERIFY(std::memcmp(alone.data(), together.data() + static_cast<size_t>(r) * stride,
                                    stride * 4) == 0);
            }
            for (int64_t count = 2; count < rows; ++count) {
                const std::vector<float> some = linear.run(three, isa, x, count);
                QVERIFY(std::memcmp(some.data(), together.data(), some.size() * 4) == 0);
            }
        }
    }
}

void TestKernels::float32BitsAreEqualWithFma() {
    if (detectIsa() != Isa::avx512_bf16)
        QSKIP("needs AVX-512 BF16");
    ThreadPool pool(2);
    for (DType dtype : {DType::float32, DType::float16}) {
        const Linear linear(77, 130, dtype);
        const std::vector<float> x = randomFloats(9 * 130, 6);
        QCOMPARE(linear.run(pool, Isa::avx2, x, 9), linear.run(pool, Isa::avx512_bf16, x, 9));
    }
}

void TestKernels::unpackRowReturnsTheRow() {
    QFETCH(int, out);
    QFETCH(int, in);
    for (DType dtype : kTypes) {
        const Linear linear(out, in, dtype);
        std::vector<float> row(static_cast<size_t>(in));
        for (int64_t n = 0; n < out; ++n) {
            linear.packed.unpackRow(n, row.data());
            QVERIFY(std::memcmp(row.data(), linear.weight.data() + n * in, row.size() * 4) == 0);
        }
    }
}

void TestKernels::rowOperationsMatchDouble() {
    double worst = 0;
    for (int64_t n : {1, 16, 27, 896}) {
        const std::vector<float> x = randomFloats(n, 1, 3.0f);
        const std::vector<float> w = randomFloats(n, 2);
        double squares = 0;
        for (float value : x)
            squares += static_cast<double>(value) * static_cast<double>(value);
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(n) + 1e-6);
        for (Isa isa : availableIsas()) {
            std::vector<float> y(x.size());
            kernelTable(isa).rms_norm(x.data(), w.data(), n, 1e-6f, y.data());
            for (size_t i = 0; i < y.size(); ++i)
                worst =
                    std::max(worst, std::abs(static_cast<double>(y[i]) -
                                             static_cast<double>(x[i]) * scale * static_cast<double>(w[i])));
            kernelTable(isa).silu_multiply(x.data(), w.data(), n, y.data());
            for (size_t i = 0; i < y.size(); ++i) {
                const double gate = x[i];
                worst = std::max(worst, std::abs(static_cast<double>(y[i]) -
                                                 gate / (1.0 + std::exp(-gate)) * static_cast<double>(w[i])));
            }
        }
    }
    for (Isa isa : availableIsas()) {  // the exponential's ends: no NaN, no overflow into garbage
        const std::vector<float> gate = {-200.0f, -88.0f, 88.0f, 200.0f};
        const std::vector<float> up(4, 1.0f);
        std::vector<float> y(4);
        kernelTable(isa).silu_multiply(gate.data(), up.data(), 4, y.data());
        QVERIFY(std::abs(y[0]) < 1e-30f && std::abs(y[1]) < 1e-30f && y[2] == 88.0f && y[3] == 200.0f);
    }
    std::printf("measured: RMSNorm and SwiGLU rows: largest difference from double %.2g\n", worst);
    QVERIFY(worst < 1e-5);
}

void TestKernels::halfConversionsAreExact() {
    std::vector<uint16_t> all(65536);
    for (size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<uint16_t>(i);
    std::vector<float> reference(all.size());
    kernelTable(Isa::portable).from_float16(all.data(), 65536, reference.data());
    QCOMPARE(reference[0x3C00], 1.0f);
    QCOMPARE(reference[0x0001], std::ldexp(1.0f, -24));
    QCOMPARE(reference[0x7BFF], 65504.0f);
    QVERIFY(std::isinf(reference[0x7C00]) && std::isnan(reference[0x7C01]));
    std::vector<float> values = randomFloats(100000, 4, 100.0f);
    for (float exponent = -30; exponent < 20; ++exponent)
        for (float value : randomFloats(200, 9))
            values.push_back(value * std::exp2(exponent));
    values.insert(values.end(),
                  {65504.0f, 65519.9f, 65520.0f, 1e30f, -0.0f, std::ldexp(1.0f, -25), std::ldexp(1.5f, -25)});
    for (Isa isa : availableIsas()) {
        const KernelTable& kernels = kernelTable(isa);
        std::vector<float> widened(all.size());
        kernels.from_float16(all.data(), 65536, widened.data());
        for (size_t i = 0; i < all.size(); ++i)
            QVERIFY(std::isnan(reference[i]) ? std::isnan(widened[i])
                                             : std::memcmp(&widened[i], &reference[i], 4) == 0);
        std::vector<uint16_t> halves(values.size());
        std::vector<uint16_t> expected(values.size());
        kernels.to_float16(values.data(), static_cast<int64_t>(values.size()), halves.data());
        kernelTable(Isa::portable)
            .to_float16(values.data(), static_cast<int64_t>(values.size()), expected.data());
        QCOMPARE(halves, expected);
        kernels.to_bfloat16(values.data(), static_cast<int64_t>(values.size()), halves.data());
        for (size_t i = 0; i < values.size(); ++i)
            QCOMPARE(halves[i], toBFloat16(values[i]));
    }
}

QTEST_GUILESS_MAIN(TestKernels)
#include "tst_kernels.moc"
