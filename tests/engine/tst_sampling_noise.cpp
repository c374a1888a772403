// The noise of sampling: that it draws the exact distribution, over token indices and over prompts, that
// neighbours are independent, and that its key and its arithmetic are what the headers say.

#include <QTest>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "core/generate/sampler.h"
#include "core/generate/sampling/gumbel.h"
#include "core/generate/sampling/reproducible_math.h"
#include "tests/support/chi_square.h"
#include "tests/support/slow_sampler.h"

using namespace spd;
using namespace spd::test;

namespace {

constexpr int kSamples = 20'000;

/// 50 logits with ties, an -inf and a tail.
std::vector<float> fixedLogits() {
    std::mt19937 generator(3);
    std::normal_distribution<float> normal(0, 1.5f);
    std::vector<float> logits(50);
    for (float& logit : logits)
        logit = normal(generator);
    logits[7] = logits[8] = logits[40];
    logits[20] = -std::numeric_limits<float>::infinity();
    return logits;
}

/// Draws over token indices of one prompt, or over prompts at one token index.
enum class Over { token_indices, string_ids, integer_ids };

std::vector<int64_t> draw(const SamplingSettings& settings, Over over) {
    const std::vector<float> logits = fixedLogits();
    const std::vector<int32_t> context = {1, 5, 9, 40};
    std::vector<int64_t> counts(logits.size());
    SamplerScratch scratch;
    for (int i = 0; i < kSamples; ++i) {
        const uint64_t key = over == Over::token_indices ? noiseKey(42, "gsm8k/test/0")
                             : over == Over::string_ids  ? noiseKey(42, "gsm8k/test/" + std::to_string(i))
                                                         : noiseKey(42, int64_t{i});
        std::vector<float> row = logits;
        const uint64_t token_index = over == Over::token_indices ? static_cast<uint64_t>(i) : 0;
        const int32_t token = sampleToken(row, settings, context, key, token_index, {}, scratch);
        ++counts[static_cast<size_t>(token)];
    }
    return counts;
}

/// Correlation of noise(i) with noise of its neighbour, in units of its standard deviation when independent.
template <class Noise, class Neighbour>
double deviations(int count, const Noise& noise, const Neighbour& neighbour) {
    double sum_x = 0, sum_y = 0, sum_xx = 0, sum_yy = 0, sum_xy = 0;
    for (int i = 0; i < count; ++i) {
        const double x = noise(i);
        const double y = neighbour(i);
        sum_x += x;
        sum_y += y;
        sum_xx += x * x;
        sum_yy += y * y;
        sum_xy += x * y;
    }
    const double covariance = sum_xy - sum_x * sum_y / count;
    const double correlation =
        covariance / std::sqrt((sum_xx - sum_x * sum_x / count) * (sum_yy - sum_y * sum_y / count));
    return correlation * std::sqrt(count);
}

}  // namespace

class TestSamplingNoise : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Values of scipy.special.gammaincc 1.17.
    void knowsTheChiSquareDistribution() {
        QVERIFY(std::abs(upperGamma(0.5, 0.1) - 0.6547208460185768) < 1e-12);
        QVERIFY(std::abs(upperGamma(0.5, 5) - 0.001565402258002549) < 1e-14);
        QVERIFY(std::abs(upperGamma(24.5, 20) - 0.8167770748275297) < 1e-12);
        QVERIFY(std::abs(upperGamma(24.5, 60) - 6.876961427062773e-08) < 1e-18);
        QVERIFY(std::abs(upperGamma(100, 100) - 0.48670120172085135) < 1e-12);
    }

    void drawsTheExactDistribution_data() {
        QTest::addColumn<SamplingSettings>("settings");
        QTest::newRow("plain") << SamplingSettings{};
        QTest::newRow("temperature 0.6") << SamplingSettings{.temperature = 0.6};
        QTest::newRow("temperature 1.6") << SamplingSettings{.temperature = 1.6};
        QTest::newRow("top-k 12") << SamplingSettings{.top_k = 12};
        QTest::newRow("top-p 0.7") << SamplingSettings{.top_p = 0.7};
        QTest::newRow("min-p 0.05") << SamplingSettings{.min_p = 0.05};
        QTest::newRow("repetition penalty 1.5") << SamplingSettings{.repetition_penalty = 1.5};
        QTest::newRow("1.6 / 20 / 0.8") << SamplingSettings{.temperature = 1.6, .top_k = 20, .top_p = 0.8};
        QTest::newRow("all") << SamplingSettings{
            .repetition_penalty = 1.3, .temperature = 1.4, .top_k = 40, .top_p = 0.9, .min_p = 0.02};
    }

    void drawsTheExactDistribution() {
        QFETCH(const SamplingSettings, settings);
        const std::vector<double> exact = softmax(slowScores(fixedLogits(), settings, {1, 5, 9, 40}, {}));
        for (const Over over : {Over::token_indices, Over::string_ids, Over::integer_ids}) {
            const ChiSquare result = chiSquare(draw(settings, over), exact);
            std::printf("measured: %d samples over %s, %s: chi-square %.1f in %d cells, p = %.3f\n", kSamples,
                        over == Over::token_indices ? "token indices"
                        : over == Over::string_ids  ? "string ids"
                                                    : "integer ids",
                        QTest::currentDataTag(), result.statistic, result.cells, result.p);
            QVERIFY(result.possible && result.cells > 1);
            QVERIFY(result.p > 1e-3);
        }
    }

    /// That the test above can fail: noise that is drawn for a slightly other distribution is told apart.
    void tellsAWrongDistributionApart() {
        const std::vector<double> other = softmax(slowScores(fixedLogits(), {.temperature = 1.1}, {}, {}));
        const ChiSquare result = chiSquare(draw({}, Over::token_indices), other);
        std::printf("measured: temperature 1 against the distribution of 1.1: p = %.2g\n", result.p);
        QVERIFY(result.p < 1e-3);
    }

    void neighboursAreIndependent() {
        constexpr int kCount = 200'000;
        const uint64_t key = noiseKey(42, "a");
        const auto overRows = [&](int i) { return gumbelNoise(key, 5, static_cast<uint32_t>(i)); };
        const auto overTokens = [&](int i) { return gumbelNoise(key, static_cast<uint64_t>(i), 5); };
        const auto overPrompts = [&](int i) { return gumbelNoise(noiseKey(42, int64_t{i}), 5, 5); };
        const auto overSeeds = [&](int i) {
            return gumbelNoise(noiseKey(static_cast<uint64_t>(i), "a"), 5, 5);
        };
        const auto next = [](const auto& noise) { return [&noise](int i) { return noise(i + 1); }; };
        const std::vector<std::pair<const char*, double>> found = {
            {"rows v, v + 1", deviations(kCount, overRows, next(overRows))},
            {"rows v, v + 4", deviations(kCount, overRows, [&](int i) { return overRows(i + 4); })},
            {"token indices t, t + 1", deviations(kCount, overTokens, next(overTokens))},
            {"prompts 0, 1, 2, ...", deviations(kCount / 4, overPrompts, next(overPrompts))},
            {"seeds 0, 1, 2, ...", deviations(kCount / 4, overSeeds, next(overSeeds))},
            {"rows and token indices", deviations(kCount, overRows, overTokens)},
        };
        for (const auto& [what, deviation] : found) {
            std::printf("measured: correlation of noise, %s: %.2f standard deviations from 0\n", what,
                        deviation);
            QVERIFY(std::abs(deviation) < 4);
        }
    }

    void noiseIsGumbel() {
        constexpr int kCount = 400'000;
        double sum = 0, squares = 0, smallest = 0, largest = 0;
        for (int i = 0; i < kCount; ++i) {
            const double noise = gumbelNoise(7, static_cast<uint64_t>(i) << 30, static_cast<uint32_t>(i) * 3);
            sum += noise;
            squares += noise * noise;
            smallest = std::min(smallest, noise);
            largest = std::max(largest, noise);
        }
        const double mean = sum / kCount;
        const double variance = squares / kCount - mean * mean;
        std::printf("measured: noise: mean %.4f (0.5772), variance %.4f (1.6449), range %.2f to %.2f\n", mean,
                    variance, smallest, largest);
        QVERIFY(std::abs(mean - 0.57722) < 4 * 1.2825 / std::sqrt(kCount));
        QVERIFY(std::abs(variance - 1.64493) < 0.025);
    }

    /// Values of hashlib.sha256 over the text that sampler.h names.
    void keysAreTheDocumentedHash() {
        QCOMPARE(noiseKey(42, 7), uint64_t{0xed8749d1c5eec914});
        QCOMPARE(noiseKey(42, "7"), uint64_t{0x6be1403fc57e69f5});
        QCOMPARE(noiseKey(0, ""), uint64_t{0x0655058f9d516a64});
        QCOMPARE(noiseKey(~uint64_t{0}, -1), uint64_t{0xd993540bba5742a9});
        QCOMPARE(noiseKey(42, "gsm8k/test/\xc3\xa9"), uint64_t{0x949de3e94edd7f47});
    }

    void logAndExpAreExactToTwoUnits() {
        std::mt19937_64 generator(4);
        std::uniform_real_distribution<double> uniform(0, 1);
        long double worst_log = 0, worst_exp = 0;
        for (int i = 0; i < 500'000; ++i) {
            const double near_one = 1 + (uniform(generator) - 0.5) * std::pow(10.0, -15 * uniform(generator));
            for (const double x :
                 {std::ldexp(1 + uniform(generator), static_cast<int>(i % 120) - 70), near_one}) {
                const long double exact = std::log(static_cast<long double>(x));
                if (exact != 0)
                    worst_log = std::max(worst_log, std::abs((reproducibleLog(x) - exact) / exact));
            }
            const double y = -700 * std::pow(uniform(generator), 4);
            const long double exact = std::exp(static_cast<long double>(y));
            worst_exp = std::max(worst_exp, std::abs((reproducibleExp(y) - exact) / exact));
        }
        std::printf("measured: largest relative error of log %.2f, of exp %.2f units of 2^-52\n",
                    static_cast<double>(worst_log * 0x1p52L), static_cast<double>(worst_exp * 0x1p52L));
        QVERIFY(worst_log < 2 * 0x1p-52L);
        QVERIFY(worst_exp < 2 * 0x1p-52L);
        QCOMPARE(reproducibleExp(0), 1.0);
        QCOMPARE(reproducibleExp(-std::numeric_limits<double>::infinity()), 0.0);
        QCOMPARE(reproducibleExp(-709), 0.0);
    }
};

QTEST_GUILESS_MAIN(TestSamplingNoise)
#include "tst_sampling_noise.moc"
