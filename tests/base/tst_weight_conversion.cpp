// Element conversions against slow arithmetic that knows only what the formats mean.

#include <QtTest>
#include <bit>
#include <cmath>
#include <iostream>
#include <random>
#include <vector>

#include "core/io/weights/convert.h"

using namespace spd;

namespace {

/// A binary format with a sign bit: 5 or 8 exponent bits, 10 or 7 mantissa bits.
struct Format {
    int exponent_bits;
    int mantissa_bits;
    int bias() const { return (1 << (exponent_bits - 1)) - 1; }
    uint16_t infinity() const { return static_cast<uint16_t>(((1 << exponent_bits) - 1) << mantissa_bits); }
};

constexpr Format half{5, 10};
constexpr Format brain{8, 7};

/// The number that the bits mean; the magnitude past the largest finite one counts on, as rounding needs it.
double valueOf(uint16_t bits, Format format) {
    const int magnitude = bits & 0x7FFF;
    const int exponent = magnitude >> format.mantissa_bits;
    const int mantissa = magnitude & ((1 << format.mantissa_bits) - 1);
    const double value = exponent == 0 ? std::ldexp(mantissa, 1 - format.bias() - format.mantissa_bits)
                                       : std::ldexp(mantissa + (1 << format.mantissa_bits),
                                                    exponent - format.bias() - format.mantissa_bits);
    return (bits & 0x8000) != 0 ? -value : value;
}

bool isNaN(uint16_t bits, Format format) {
    return (bits & 0x7FFF) > format.infinity();
}

/// Nearest of the 2^15 magnitudes by bisection, ties to the even one.
uint16_t nearest(float value, Format format) {
    const double magnitude = std::fabs(static_cast<double>(value));
    int low = 0;
    int high = format.infinity();
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        (valueOf(static_cast<uint16_t>(middle), format) <= magnitude ? low : high) = middle;
    }
    const double below = magnitude - valueOf(static_cast<uint16_t>(low), format);
    const double above = valueOf(static_cast<uint16_t>(high), format) - magnitude;
    const int best = below < above || (below == above && low % 2 == 0) ? low : high;
    const int sign = std::signbit(value) ? 0x8000 : 0;
    return static_cast<uint16_t>(sign | (std::isinf(value) ? format.infinity() : best));
}

Format formatOf(DType type) {
    return type == DType::float16 ? half : brain;
}

/// Every magnitude of the format, every midpoint, and their float32 neighbours, both signs; then random bits.
std::vector<float> interestingFloats(Format format) {
    std::vector<float> values;
    for (int bits = 0; bits < format.infinity(); ++bits) {
        const auto at = static_cast<float>(valueOf(static_cast<uint16_t>(bits), format));
        const double next = valueOf(static_cast<uint16_t>(bits + 1), format);
        const auto middle = static_cast<float>((valueOf(static_cast<uint16_t>(bits), format) + next) / 2);
        for (const float value : {at, middle})
            for (const float near : {value, std::nextafter(value, 0.0F), std::nextafter(value, INFINITY)})
                values.insert(values.end(), {near, -near});
    }
    std::mt19937 random(7);
    for (int i = 0; i < 1'000'000; ++i)
        values.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
    for (const float value :
         {INFINITY, -INFINITY, std::numeric_limits<float>::max(), std::nanf("1"), -std::nanf("2")})
        values.push_back(value);
    return values;
}

std::vector<uint16_t> allBits() {
    std::vector<uint16_t> bits(65536);
    for (size_t i = 0; i < bits.size(); ++i)
        bits[i] = static_cast<uint16_t>(i);
    return bits;
}

}  // namespace

class TestWeightConversion : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void widensExactly();
    void roundsToNearestEven();
    void convertsBetweenTheShortTypes();
    void copiesEqualTypes();
};

void TestWeightConversion::widensExactly() {
    const std::vector<uint16_t> bits = allBits();
    for (const DType from : {DType::float16, DType::bfloat16}) {
        const Format format = formatOf(from);
        std::vector<float> wide(bits.size());
        convertElements(bits.data(), from, wide.data(), DType::float32, bits.size());
        for (size_t i = 0; i < bits.size(); ++i) {
            if (isNaN(bits[i], format))
                QVERIFY(std::isnan(wide[i]));
            else if ((bits[i] & 0x7FFF) == format.infinity())
                QVERIFY(std::isinf(wide[i]) && std::signbit(wide[i]) == ((bits[i] & 0x8000) != 0));
            else
                QVERIFY(static_cast<double>(wide[i]) == valueOf(bits[i], format) &&
                        std::signbit(wide[i]) == ((bits[i] & 0x8000) != 0));
        }
    }
    std::cout << "measured: 2 x 65536 widened elements equal their meaning\n";
}

void TestWeightConversion::roundsToNearestEven() {
    for (const DType to : {DType::float16, DType::bfloat16}) {
        const Format format = formatOf(to);
        const std::vector<float> values = interestingFloats(format);
        std::vector<uint16_t> rounded(values.size());
        convertElements(values.data(), DType::float32, rounded.data(), to, values.size());
        size_t wrong = 0;
        for (size_t i = 0; i < values.size(); ++i)
            wrong +=
                std::isnan(values[i]) ? !isNaN(rounded[i], format) : rounded[i] != nearest(values[i], format);
        std::cout << "measured: " << values.size() << " elements rounded to " << name(to) << ", " << wrong
                  << " differ\n";
        QCOMPARE(wrong, size_t{0});
    }
}

void TestWeightConversion::convertsBetweenTheShortTypes() {
    const std::vector<uint16_t> bits = allBits();
    for (const DType from : {DType::float16, DType::bfloat16}) {
        const DType to = from == DType::float16 ? DType::bfloat16 : DType::float16;
        std::vector<uint16_t> out(bits.size());
        convertElements(bits.data(), from, out.data(), to, bits.size());
        for (size_t i = 0; i < bits.size(); ++i) {
            const bool infinite = (bits[i] & 0x7FFF) == formatOf(from).infinity();
            if (isNaN(bits[i], formatOf(from)))
                QVERIFY(isNaN(out[i], formatOf(to)));
            else if (infinite)
                QCOMPARE(out[i] & 0x7FFF, formatOf(to).infinity());
            else
                QCOMPARE(out[i], nearest(static_cast<float>(valueOf(bits[i], formatOf(from))), formatOf(to)));
        }
    }
}

void TestWeightConversion::copiesEqualTypes() {
    const std::vector<uint16_t> bits = allBits();
    for (const DType type : {DType::float32, DType::float16, DType::bfloat16}) {
        std::vector<uint16_t> out(bits.size());
        convertElements(bits.data(), type, out.data(), type,
                        bits.size() * 2 / static_cast<size_t>(bytesPerElement(type)));
        QCOMPARE(out, bits);
    }
}

QTEST_GUILESS_MAIN(TestWeightConversion)
#include "tst_weight_conversion.moc"
