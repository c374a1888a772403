// What training draws and how it steps, without a model: AdamW, clipping, cosine, initial weights, dropout,
// order.

#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "core/base/error.h"
#include "core/train/adamw.h"
#include "core/train/dropout.h"
#include "core/train/lora_parameters.h"
#include "core/train/memory_plan.h"
#include "core/train/training_noise.h"
#include "core/train/training_settings.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;

namespace {

/// Algorithm 2 of Loshchilov and Hutter in float64.
struct TextbookAdamW {
    double decay;
    std::vector<double> first, second;
    int64_t t = 0;

    void step(std::vector<double>& x, const std::vector<double>& g, double rate) {
        ++t;
        for (size_t i = 0; i < x.size(); ++i) {
            first[i] = 0.9 * first[i] + 0.1 * g[i];
            second[i] = 0.999 * second[i] + 0.001 * g[i] * g[i];
            const double m = first[i] / (1 - std::pow(0.9, t));
            const double v = second[i] / (1 - std::pow(0.999, t));
            x[i] -= rate * (m / (std::sqrt(v) + 1e-8) + decay * x[i]);
        }
    }
};

}  // namespace

class TestTrainingNumbers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void adamW();
    void adamWGoesOnFromItsMoments();
    void adamWLeavesFiniteNumbers();
    void clipsToTheNorm();
    void cosine();
    void initialWeights();
    void adapterComesBack();
    void dropoutRate_data();
    void dropoutRate();
    void dropoutDependsOnItsPlaceOnly();
    void orders();
    void recomputesWhereMemoryIsShort();
    void refusesSettings();
};

void TestTrainingNumbers::adamW() {
    constexpr size_t kCount = 1000;
    std::mt19937 generator(1);
    std::normal_distribution<double> normal;
    std::vector<float> x(kCount);
    std::generate(x.begin(), x.end(), [&] { return static_cast<float>(normal(generator)); });
    std::vector<double> exact(x.begin(), x.end());
    AdamW optimizer({.weight_decay = 0.1}, kCount);
    TextbookAdamW textbook = {0.1, std::vector<double>(kCount), std::vector<double>(kCount)};
    for (int step = 0; step < 50; ++step) {
        std::vector<float> gradients(kCount);
        for (float& gradient : gradients)  // sizes over nine decades
            gradient = static_cast<float>(normal(generator) * std::pow(10.0, -(step % 10)));
        QVERIFY(optimizer.step(x, gradients, 1e-2 / (step + 1)));
        textbook.step(exact, {gradients.begin(), gradients.end()}, 1e-2 / (step + 1));
    }
    double worst = 0;
    for (size_t i = 0; i < kCount; ++i)
        worst = std::max(worst, std::abs(static_cast<double>(x[i]) - exact[i]));
    std::printf("measured: AdamW, 50 steps in float32 against float64: largest difference %.2g\n", worst);
    QVERIFY(worst < 5e-6);
    QCOMPARE(optimizer.steps(), 50);
}

void TestTrainingNumbers::adamWGoesOnFromItsMoments() {
    std::vector<float> whole = {1, -2, 3};
    std::vector<float> parts = whole;
    const std::vector<float> gradients = {0.5F, 1e-4F, -2};
    AdamW unbroken({}, 3);
    AdamW before({}, 3);
    for (int step = 0; step < 3; ++step)
        QVERIFY(unbroken.step(whole, gradients, 1e-2));
    QVERIFY(before.step(parts, gradients, 1e-2));
    AdamW after({}, before.steps(), before.firstMoments(), before.secondMoments());
    for (int step = 0; step < 2; ++step)
        QVERIFY(after.step(parts, gradients, 1e-2));
    QCOMPARE(parts, whole);
    QVERIFY_EXCEPTION_THROWN((void)after.step(parts, std::vector<float>(2), 1e-2), Error);
}

/// A step that would leave the numbers is not done, not even in part.
void TestTrainingNumbers::adamWLeavesFiniteNumbers() {
    std::vector<float> x = {1, -2, 3};
    AdamW optimizer({}, 3);
    QVERIFY(optimizer.step(x, std::vector<float>{0.5F, 1e-4F, -2}, 1e-2));
    const std::vector<float> values = x;
    const std::vector<float> first = optimizer.firstMoments();
    const std::vector<float> second = optimizer.secondMoments();
    QVERIFY(!optimizer.step(x, std::vector<float>{0.5F, 1e-4F, -2}, 1e39));
    QVERIFY(!optimizer.step(x, std::vector<float>{0.5F, 1e-4F, 1e30F}, 1e-2));  // its square is infinite
    QVERIFY(!optimizer.step(x, std::vector<float>{0.5F, NAN, 0}, 1e-2));
    QCOMPARE(x, values);
    QCOMPARE(optimizer.firstMoments(), first);
    QCOMPARE(optimizer.secondMoments(), second);
    QCOMPARE(optimizer.steps(), int64_t{1});
}

void TestTrainingNumbers::clipsToTheNorm() {
    std::vector<float> gradients = {3, -4};
    QCOMPARE(clipGradients(gradients, 10), 5.0);
    QCOMPARE(gradients, (std::vector<float>{3, -4}));
    QCOMPARE(clipGradients(gradients, 1), 5.0);
    QVERIFY(std::abs(std::hypot(gradients[0], gradients[1]) - 1) < 1e-6F);
    gradients = {1, NAN};
    QVERIFY(std::isnan(clipGradients(gradients, 1)));
}

void TestTrainingNumbers::cosine() {
    QCOMPARE(cosineRate(2.0, 0, 10), 2.0);
    QCOMPARE(cosineRate(2.0, 5, 10), 1.0);
    QVERIFY(std::abs(cosineRate(2.0, 10, 10)) < 1e-15);
    QVERIFY(std::abs(cosineRate(1.0, 1, 4) - (0.5 + std::sqrt(0.125))) < 1e-15);
}

/// Kaiming-uniform with a = sqrt 5: uniform in +-1 / sqrt(in); B is zero.
void TestTrainingNumbers::initialWeights() {
    const ModelConfig config = test::tinyConfig(ModelFamily::llama);
    const LoraParameters parameters = LoraParameters::initial(config, 64, 8, 3);
    QCOMPARE(parameters.places().size(), static_cast<size_t>(4 * config.num_hidden_layers));
    for (const LoraPlace& place : parameters.places()) {
        const std::span<const float> a = parameters.values().subspan(place.a, place.b - place.a);
        const double bound = 1 / std::sqrt(static_cast<double>(place.in));
        double mean = 0;
        double square = 0;
        for (const float value : a) {
            QVERIFY(std::abs(value) <= bound);
            mean += value / static_cast<double>(a.size());
            square += value * value / static_cast<double>(a.size());
        }
        const double error = 5 / std::sqrt(static_cast<double>(a.size()));  // five standard errors
        QVERIFY(std::abs(mean) < error * bound / std::sqrt(3));
        QVERIFY(std::abs(square / (bound * bound / 3) - 1) < error);
        for (const float value : parameters.values().subspan(place.b, static_cast<size_t>(place.out * 64)))
            QCOMPARE(value, 0.0F);
    }
    const LoraParameters again = LoraParameters::initial(config, 64, 8, 3);
    QVERIFY(std::ranges::equal(parameters.values(), again.values()));
    const LoraParameters other = LoraParameters::initial(config, 64, 8, 4);
    QVERIFY(!std::ranges::equal(parameters.values(), other.values()));
}

void TestTrainingNumbers::adapterComesBack() {
    const ModelConfig config = test::tinyConfig(ModelFamily::qwen2);
    const LoraParameters parameters = LoraParameters::initial(config, 4, 8, 1);
    const LoraAdapter adapter = parameters.adapter(parameters.values(), LoraAdapter());
    QCOMPARE(adapter.modules.front().scale, 2.0);
    QVERIFY(std::ranges::equal(LoraParameters::of(adapter, config).values(), parameters.values()));
}

void TestTrainingNumbers::dropoutRate_data() {
    QTest::addColumn<double>("rate");
    for (const double rate : {0.01, 0.05, 0.5, 0.9})
        QTest::addRow("%g", rate) << rate;
}

void TestTrainingNumbers::dropoutRate() {
    QFETCH(double, rate);
    constexpr size_t kWidth = 576;
    constexpr uint32_t kPositions = 2000;
    std::vector<float> factors(kWidth);
    std::vector<double> dropped_in_column(kWidth);
    double dropped = 0;
    double both = 0;  // neighbours
    for (uint32_t position = 0; position < kPositions; ++position) {
        dropoutFactors({rate, trainingKey(1, TrainingStream::dropout, 5), 17, 3}, position, factors);
        for (size_t i = 0; i < kWidth; ++i) {
            const bool is_dropped = factors[i] == 0;
            QVERIFY(is_dropped || std::abs(factors[i] - 1 / (1 - rate)) < 1e-6 / (1 - rate));
            dropped += is_dropped;
            dropped_in_column[i] += is_dropped;
            both += is_dropped && i > 0 && factors[i - 1] == 0;
        }
    }
    const double count = double{kWidth} * kPositions;
    const double error = std::sqrt(rate * (1 - rate) / count);
    std::printf("measured: dropout %.2f: dropped %.5f of %.0f elements (%.1f standard errors)\n", rate,
                dropped / count, count, (dropped / count - rate) / error);
    QVERIFY(std::abs(dropped / count - rate) < 5 * error);
    const double pair = rate * rate;
    QVERIFY(std::abs(both / (count - kPositions) - pair) < 5 * std::sqrt(3 * pair / count));
    const double column_error = std::sqrt(rate * (1 - rate) / kPositions);
    for (const double column : dropped_in_column)
        QVERIFY(std::abs(column / kPositions - rate) < 6 * column_error);
}

void TestTrainingNumbers::dropoutDependsOnItsPlaceOnly() {
    const DropoutNoise noise = {0.5, trainingKey(1, TrainingStream::dropout, 5), 17, 3};
    const auto draw = [](const DropoutNoise& of, uint32_t position, size_t width) {
        std::vector<float> factors(width);
        dropoutFactors(of, position, factors);
        return factors;
    };
    const std::vector<float> factors = draw(noise, 9, 700);
    QCOMPARE(draw(noise, 9, 700), factors);
    QVERIFY(std::ranges::equal(draw(noise, 9, 301), std::span(factors).first(301)));
    std::set<std::vector<float>> different = {factors, draw(noise, 10, 700)};
    for (const DropoutNoise& other :
         {DropoutNoise{0.5, noise.key, 18, 3}, DropoutNoise{0.5, noise.key, 17, 4},
          DropoutNoise{0.5, trainingKey(1, TrainingStream::dropout, 6), 17, 3},
          DropoutNoise{0.5, trainingKey(2, TrainingStream::dropout, 5), 17, 3}})
        different.insert(draw(other, 9, 700));
    QCOMPARE(different.size(), size_t{6});
}

void TestTrainingNumbers::orders() {
    const auto order = [](uint64_t seed, int64_t epoch, int64_t count) {
        return epochOrder(seed, epoch, count);
    };
    std::vector<int64_t> sorted = order(42, 0, 1000);
    QCOMPARE(sorted, order(42, 0, 1000));
    QVERIFY(sorted != order(42, 1, 1000));
    QVERIFY(sorted != order(43, 0, 1000));
    std::sort(sorted.begin(), sorted.end());
    std::vector<int64_t> expected(1000);
    std::iota(expected.begin(), expected.end(), 0);
    QCOMPARE(sorted, expected);
    // Each of the 24 orders of four as often as another: chi square with 23 degrees of freedom.
    std::map<std::vector<int64_t>, double> seen;
    for (int64_t epoch = 0; epoch < 24'000; ++epoch)
        ++seen[order(7, epoch, 4)];
    double chi_square = 0;
    for (const auto& [which, times] : seen)
        chi_square += (times - 1000) * (times - 1000) / 1000;
    QCOMPARE(seen.size(), size_t{24});
    QVERIFY(chi_square < 60);  // one in 40,000
}

void TestTrainingNumbers::recomputesWhereMemoryIsShort() {
    const ModelConfig config = test::tinyConfig(ModelFamily::qwen3);
    const TrainingMemory memory = trainingMemory(config, DType::bfloat16, 500, 1000);
    QVERIFY(memory.total(true) > memory.total(false));
    const TrainingMemory longer = trainingMemory(config, DType::bfloat16, 1000, 1000);
    QVERIFY(longer.kept > memory.kept);
    QVERIFY(keepActivations(Recompute::automatic, memory, 2 * memory.total(true)));
    QVERIFY(!keepActivations(Recompute::automatic, memory, memory.total(true)));
    QVERIFY(keepActivations(Recompute::off, memory, 0));
    QVERIFY(!keepActivations(Recompute::full, memory, int64_t{1} << 60));
}

void TestTrainingNumbers::refusesSettings() {
    TrainingSettings().validate();
    const auto refused = [](auto change) {
        TrainingSettings settings;
        change(settings);
        try {
            settings.validate();
        } catch (const Error& error) {
            return error.kind() == ErrorKind::invalid_argument;
        }
        return false;
    };
    QVERIFY(refused([](TrainingSettings& s) { s.epochs = 0; }));
    QVERIFY(refused([](TrainingSettings& s) { s.batch_size = -1; }));
    QVERIFY(refused([](TrainingSettings& s) { s.lr = 0; }));
    QVERIFY(refused([](TrainingSettings& s) { s.lr = NAN; }));
    QVERIFY(refused([](TrainingSettings& s) { s.r = 0; }));
    QVERIFY(refused([](TrainingSettings& s) { s.alpha = -1; }));
    QVERIFY(refused([](TrainingSettings& s) { s.dropout = 1; }));
    QVERIFY(refused([](TrainingSettings& s) { s.weight_decay = -0.1; }));
    QVERIFY(refused([](TrainingSettings& s) { s.max_grad_norm = 0; }));
}

QTEST_GUILESS_MAIN(TestTrainingNumbers)
#include "tst_training_numbers.moc"
