// The attention kernels of generation against sums in double: every cache type, every instruction set of this
// processor, on K and V rounded to the cache's type.

#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/base/dtype.h"
#include "core/kernels/kernel_table.h"

using namespace spd;

namespace {

constexpr float kScale = 0.3f;

std::vector<Isa> availableIsas() {
    std::vector<Isa> isas = {Isa::portable};
    if (detectIsa() != Isa::portable)
        isas.push_back(Isa::avx2);
    if (detectIsa() == Isa::avx512_bf16)
        isas.push_back(Isa::avx512_bf16);
    return isas;
}

std::vector<float> randomFloats(int64_t count, uint32_t seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values)
        value = normal(generator);
    return values;
}

/// One element of a cache: its bytes, and the number that they are.
struct Stored {
    char bytes[4];
    float value;
};

Stored stored(DType dtype, float value) {
    Stored out = {{}, value};
    uint16_t half = 0;
    if (dtype == DType::float32) {
        std::memcpy(out.bytes, &value, 4);
        return out;
    }
    if (dtype == DType::bfloat16) {
        half = toBFloat16(value);
        out.value = fromBFloat16(half);
    } else {
        kernelTable(Isa::portable).to_float16(&value, 1, &half);
        kernelTable(Isa::portable).from_float16(&half, 1, &out.value);
    }
    std::memcpy(out.bytes, &half, 2);
    return out;
}

/// A query group and a cache of `length` positions of one KV head, as the kernels read it and as floats.
struct Case {
    DType dtype;
    int64_t group, D, length;
    int64_t stride = roundUpToLanes(D);
    std::vector<float> q;          // [group, D]
    std::vector<float> k, v;       // [length, D], rounded to dtype
    std::vector<char> keys;        // blocks of 16 positions; NaN past the length
    std::vector<char> values;      // [length, stride], the tail zero
    std::vector<double> expected;  // [group, D]

    Case(DType type, int64_t heads, int64_t head_dim, int64_t positions)
        : dtype(type),
          group(heads),
          D(head_dim),
          length(positions),
          q(randomFloats(group * D, 1)),
          k(randomFloats(length * D, 2)),
          v(randomFloats(length * D, 3)) {
        const auto bytes = static_cast<size_t>(bytesPerElement(dtype));
        const Stored nan = stored(dtype, std::numeric_limits<float>::quiet_NaN());
        keys.resize(static_cast<size_t>(roundUpToLanes(length) * D) * bytes);
        for (size_t at = 0; at < keys.size(); at += bytes)
            std::memcpy(keys.data() + at, nan.bytes, bytes);
        values.assign(static_cast<size_t>(length * stride) * bytes, 0);
        for (int64_t j = 0; j < length; ++j)
            for (int64_t d = 0; d < D; ++d) {
                put(k[static_cast<size_t>(j * D + d)], keys, (j / 16 * D + d) * 16 + j % 16);
                put(v[static_cast<size_t>(j * D + d)], values, j * stride + d);
            }
        for (int64_t g = 0; g < group; ++g)
            expect(q.data() + g * D);
    }

    /// @return [group, stride]
    std::vector<float> run(Isa isa) const {
        const KernelTable& kernels = kernelTable(isa);
        const auto attend = dtype == DType::float32    ? kernels.attend_float32
                            : dtype == DType::bfloat16 ? kernels.attend_bfloat16
                                                       : kernels.attend_float16;
        std::vector<float> scores(static_cast<size_t>(8 * roundUpToLanes(length)));
        std::vector<float> out(static_cast<size_t>(group * stride));
        attend({q.data(), keys.data(), values.data(), D, stride, length, group, kScale, scores.data(),
                out.data(), stride});
        return out;
    }

private:
    void put(float& value, std::vector<char>& to, int64_t index) const {
        const Stored element = stored(dtype, value);
        value = element.value;
        const auto bytes = static_cast<size_t>(bytesPerElement(dtype));
        std::memcpy(to.data() + static_cast<size_t>(index) * bytes, element.bytes, bytes);
    }

    void expect(const float* head) {
        std::vector<double> sums(static_cast<size_t>(D), 0.0);
        double total = 0;
        for (int64_t j = 0; j < length; ++j) {
            double dot = 0;
            for (int64_t d = 0; d < D; ++d)
                dot += static_cast<double>(head[d]) * static_cast<double>(k[static_cast<size_t>(j * D + d)]);
            const double weight = std::exp(static_cast<double>(kScale) * dot);
            total += weight;
            for (int64_t d = 0; d < D; ++d)
                sums[static_cast<size_t>(d)] +=
                    weight * static_cast<double>(v[static_cast<size_t>(j * D + d)]);
        }
        for (const double sum : sums)
            expected.push_back(sum / total);
    }
};

}  // namespace

class TestAttention : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void matchesDouble_data();
    void matchesDouble();
    void float32AndHalfTypesAgreeOnTheirCommonNumbers();
};

void TestAttention::matchesDouble_data() {
    QTest::addColumn<int>("dtype");
    for (const DType dtype : {DType::float32, DType::bfloat16, DType::float16})
        QTest::newRow(std::string(name(dtype)).c_str()) << static_cast<int>(dtype);
}

/// Scores reach 15 here: a float32 score is off by some 1e-6, a weight by as much of itself, so an average of
/// values of size 1 too, whatever type they came from.
void TestAttention::matchesDouble() {
    QFETCH(int, dtype);
    double worst = 0;
    int cases = 0;
    for (const int64_t group : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11})
        for (const int64_t D : {8, 16, 24, 64, 80, 128})
            for (const int64_t length : {1, 15, 16, 17, 100, 300}) {
                const Case test(static_cast<DType>(dtype), group, D, length);
                for (const Isa isa : availableIsas()) {
                    const std::vector<float> out = test.run(isa);
                    ++cases;
                    for (int64_t g = 0; g < group; ++g)
                        for (int64_t d = 0; d < D; ++d) {
                            const double value = out[static_cast<size_t>(g * test.stride + d)];
                            const double difference =
                                std::abs(value - test.expected[static_cast<size_t>(g * D + d)]);
                            worst = difference <= worst ? worst : difference;  // NaN stays
                        }
                }
            }
    std::printf("measured: attention, %s cache, %d cases: largest difference from double %.2g\n",
                std::string(name(static_cast<DType>(dtype))).c_str(), cases, worst);
    QVERIFY(worst < 5e-6);
}

/// Numbers that every type holds give the same bits from each of the caches: one order of summation.
void TestAttention::float32AndHalfTypesAgreeOnTheirCommonNumbers() {
    const int64_t group = 7;
    const int64_t D = 24;
    const int64_t length = 100;
    Case base(DType::bfloat16, group, D, length);
    for (const Isa isa : availableIsas()) {
        Case wide = base;
        wide.dtype = DType::float32;
        wide.keys.assign(static_cast<size_t>(roundUpToLanes(length) * D) * 4, 0);
        wide.values.assign(static_cast<size_t>(length * wide.stride) * 4, 0);
        for (int64_t j = 0; j < length; ++j)
            for (int64_t d = 0; d < D; ++d) {
                const size_t from = static_cast<size_t>(j * D + d);
                std::memcpy(wide.keys.data() + ((j / 16 * D + d) * 16 + j % 16) * 4, &base.k[from], 4);
                std::memcpy(wide.values.data() + (j * wide.stride + d) * 4, &base.v[from], 4);
            }
        QCOMPARE(wide.run(isa), base.run(isa));
    }
}

QTEST_GUILESS_MAIN(TestAttention)
#include "tst_attention.moc"
