// The pieces of the training pass against plain autograd in float64, and what must change no bit of it.

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <stop_token>

#include "core/base/error.h"
#include "core/io/checkpoint.h"
#include "core/train/chunked_loss_torch.h"
#include "core/train/lora_linear_torch.h"
#include "core/train/training_noise.h"
#include "core/train/training_pass.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;

namespace {

double relative(const at::Tensor& value, const at::Tensor& expected) {
    return ((value.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

at::Tensor leaf(at::IntArrayRef sizes) {
    return at::randn(sizes).requires_grad_(true);
}

at::Tensor twin(const at::Tensor& tensor) {
    return tensor.detach().to(at::kDouble).requires_grad_(true);
}

}  // namespace

class TestTrainingPass : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { at::manual_seed(1); }
    void chunkedLoss();
    void chunkedLossInChunks();
    void loraLinearGradients_data();
    void loraLinearGradients();
    void recomputationChangesNothing();
    void stopsWithinALayer();
};

void TestTrainingPass::chunkedLoss() {
    const at::Tensor hidden = leaf({37, 24});
    const at::Tensor head = at::randn({301, 24});
    std::vector<int32_t> targets;
    for (int32_t i = 0; i < 37; ++i)
        targets.push_back(i * 8 % 301);
    const ChunkedLoss loss = chunkedCrossEntropy(hidden.detach(), head, targets, 0.25, {});
    const at::Tensor exact = twin(hidden);
    const at::Tensor wanted = at::tensor(std::vector<int64_t>(targets.begin(), targets.end()));
    const at::Tensor expected =
        at::cross_entropy_loss(at::linear(exact, head.to(at::kDouble)), wanted, {}, at::Reduction::Sum);
    const at::Tensor gradient = torch::autograd::grad({0.25 * expected}, {exact})[0];
    const double value_error = std::abs(loss.nll / expected.item<double>() - 1);
    std::printf(
        "measured: chunked cross-entropy against autograd in float64: loss %.2g, gradient %.2g (relative)\n",
        value_error, relative(loss.gradient, gradient));
    QVERIFY(value_error < 1e-6);
    QVERIFY(relative(loss.gradient, gradient) < 1e-6);
    QVERIFY(!chunkedCrossEntropy(hidden.detach(), head, targets, {}, {}).gradient.defined());
    QCOMPARE(chunkedCrossEntropy(hidden.detach(), head, targets, {}, {}).nll, loss.nll);
}

/// A vocabulary so wide that a chunk has 16 rows.
void TestTrainingPass::chunkedLossInChunks() {
    constexpr int64_t kVocabulary = 2'000'000;
    QCOMPARE(chunkRows(kVocabulary), 16);
    const at::Tensor hidden = leaf({35, 2});
    const at::Tensor head = at::randn({kVocabulary, 2});
    const std::vector<int32_t> targets(35, 1'999'999);
    const ChunkedLoss loss = chunkedCrossEntropy(hidden.detach(), head, targets, 1.0, {});
    double sum = 0;
    for (int64_t row = 0; row < 35; ++row) {
        const ChunkedLoss alone = chunkedCrossEntropy(hidden.detach().narrow(0, row, 1), head,
                                                      std::span(targets).first(1), 1.0, {});
        sum += alone.nll;
        QVERIFY(relative(loss.gradient[row], alone.gradient[0].to(at::kDouble)) < 1e-4);
    }
    QVERIFY(std::abs(loss.nll / sum - 1) < 1e-6);
}

void TestTrainingPass::loraLinearGradients_data() {
    QTest::addColumn<double>("rate");
    QTest::newRow("no dropout") << 0.0;
    QTest::newRow("dropout") << 0.3;
}

void TestTrainingPass::loraLinearGradients() {
    QFETCH(double, rate);
    constexpr int64_t kTokens = 19, kIn = 30, kOut = 22, kRank = 4;
    const at::Tensor x = leaf({1, kTokens, kIn}), y = leaf({1, kTokens, kOut});
    const LoraTensors lora = {leaf({kRank, kIn}), leaf({kOut, kRank}), 1.75};
    const DropoutNoise noise = {rate, trainingKey(3, TrainingStream::dropout, 1), 4, 2};
    at::Tensor factors = at::ones({kTokens, kIn});
    if (rate > 0)
        for (int64_t t = 0; t < kTokens; ++t)
            dropoutFactors(noise, static_cast<uint32_t>(t),
                           {factors.mutable_data_ptr<float>() + t * kIn, static_cast<size_t>(kIn)});
    const at::Tensor weights = at::randn({1, kTokens, kOut});
    const at::Tensor out = loraLinear(x, y, lora, noise);
    const auto found = torch::autograd::grad({(out * weights).sum()}, {x, y, lora.a, lora.b});

    const at::Tensor x64 = twin(x), y64 = twin(y), a64 = twin(lora.a), b64 = twin(lora.b);
    const at::Tensor expected = y64 + 1.75 * at::linear(at::linear(x64 * factors.to(at::kDouble), a64), b64);
    const auto exact =
        torch::autograd::grad({(expected * weights.to(at::kDouble)).sum()}, {x64, y64, a64, b64});
    double worst = relative(out, expected);
    for (size_t i = 0; i < exact.size(); ++i)
        worst = std::max(worst, relative(found[i], exact[i]));
    std::printf("measured: LoRA linear (%s) against autograd in float64: largest relative difference %.2g\n",
                QTest::currentDataTag(), worst);
    QVERIFY(worst < 1e-6);
}

void TestTrainingPass::recomputationChangesNothing() {
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    test::writeTinyCheckpoint(path, test::tinyConfig(ModelFamily::qwen3), 5);
    for (const DType dtype : {DType::float32, DType::bfloat16}) {
        const CausalLm model = CausalLm::load(Checkpoint::open(path), dtype, {});
        LoraParameters parameters = LoraParameters::initial(model.config(), 4, 8, 1);
        for (float& value : parameters.values())
            value = value == 0 ? 0.01F : value;
        TrainingPass pass(model, parameters);
        const std::vector<int32_t> ids = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};
        const TrainingSequence sequence = {ids, 4, 7};
        PassSettings settings = {0.125, 0.2, trainingKey(1, TrainingStream::dropout, 2), true};
        std::vector<float> kept(parameters.values().size());
        std::vector<float> again = kept;
        const double loss = pass.addGradients(sequence, settings, kept, {});
        settings.keep_activations = false;
        QCOMPARE(pass.addGradients(sequence, settings, again, {}), loss);
        QCOMPARE(again, kept);
        QVERIFY(std::ranges::any_of(kept, [](float value) { return value != 0; }));
        std::vector<float> twice = kept;
        pass.addGradients(sequence, settings, twice, {});
        for (size_t i = 0; i < kept.size(); ++i)
            QCOMPARE(twice[i], 2 * kept[i]);
    }
}

/// A stop that comes with the first look at the token, and one that comes later, end the pass.
void TestTrainingPass::stopsWithinALayer() {
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    test::writeTinyCheckpoint(path, test::tinyConfig(ModelFamily::llama), 5);
    const CausalLm model = CausalLm::load(Checkpoint::open(path), DType::float32, {});
    LoraParameters parameters = LoraParameters::initial(model.config(), 4, 8, 1);
    TrainingPass pass(model, parameters);
    const std::vector<int32_t> ids = {3, 1, 4, 1, 5};
    std::vector<float> gradients(parameters.values().size());
    std::stop_source stop;
    stop.request_stop();
    QVERIFY_EXCEPTION_THROWN(pass.addGradients({ids, 1, 0}, {}, gradients, {stop.get_token(), {}}),
                             Cancelled);
    QVERIFY_EXCEPTION_THROWN(pass.loss({ids, 1, 0}, {stop.get_token(), {}}), Cancelled);
    QVERIFY(pass.loss({ids, 1, 0}, {}) > 0);
}

QTEST_GUILESS_MAIN(TestTrainingPass)
#include "tst_training_pass.moc"
