// How far an intervention moves the model, against a sum in float64 over the logits of a model with the
// adapter merged into its weights.

#include <ATen/ATen.h>

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <cstdio>
#include <random>

#include "core/io/checkpoint.h"
#include "core/model/weights_torch.h"
#include "core/pipeline/divergence.h"
#include "tests/support/interventions.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;
using namespace spd::test;

namespace {

std::vector<double> logSoftmax(const float* logits, int64_t count) {
    double largest = -INFINITY;
    for (int64_t i = 0; i < count; ++i)
        largest = std::max(largest, static_cast<double>(logits[i]));
    double sum = 0;
    for (int64_t i = 0; i < count; ++i)
        sum += std::exp(static_cast<double>(logits[i]) - largest);
    std::vector<double> values;
    for (int64_t i = 0; i < count; ++i)
        values.push_back(static_cast<double>(logits[i]) - largest - std::log(sum));
    return values;
}

ScoredSequence randomSequence(const ModelConfig& config, size_t length, int64_t prompt, uint32_t seed) {
    std::mt19937 generator(seed);
    ScoredSequence sequence{{}, prompt};
    for (size_t t = 0; t < length; ++t)
        sequence.ids.push_back(static_cast<int32_t>(generator() % static_cast<uint32_t>(config.vocab_size)));
    return sequence;
}

}  // namespace

class TestDivergence : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void equalsTheSum();
    void isNothingForNothing();
};

namespace {

/// KL in float64 from the logits of all positions of two models.
double referenceKl(const CausalLm& moved, const CausalLm& base,
                   const std::vector<ScoredSequence>& sequences) {
    const int64_t vocabulary = base.config().vocab_size;
    double sum = 0;
    double count = 0;
    for (const ScoredSequence& sequence : sequences) {
        const TokenBatch batch = {1, static_cast<int64_t>(sequence.ids.size()), sequence.ids};
        const std::vector<float> p = moved.logits(batch, {});
        const std::vector<float> q = base.logits(batch, {});
        for (int64_t t = sequence.prompt_tokens; t < batch.columns; ++t) {
            const auto log_p = logSoftmax(p.data() + (t - 1) * vocabulary, vocabulary);
            const auto log_q = logSoftmax(q.data() + (t - 1) * vocabulary, vocabulary);
            for (size_t i = 0; i < log_p.size(); ++i)
                sum += std::exp(log_p[i]) * (log_p[i] - log_q[i]);
            count += 1;
        }
    }
    return sum / count;
}

/// W += scale B A in float32.
void merge(const LoraAdapter& adapter, CausalLm& model) {
    for (const LoraModule& module : adapter.modules) {
        auto& layer = model.weights().layers[static_cast<size_t>(module.layer)];
        const Linear* linears[] = {&layer.q_proj, &layer.k_proj, &layer.v_proj, &layer.o_proj};
        at::Tensor weight = linears[static_cast<size_t>(module.linear)]->weight;
        const auto matrix = [](const std::vector<float>& values, int64_t rows, int64_t columns) {
            return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::kFloat);
        };
        weight.add_(at::matmul(matrix(module.b, weight.size(0), module.r),
                               matrix(module.a, module.r, weight.size(1))),
                    module.scale);
    }
}

CausalLm load(const std::filesystem::path& folder) {
    return CausalLm::load(Checkpoint::open(folder), DType::float32, {});
}

}  // namespace

void TestDivergence::equalsTheSum() {
    QTemporaryDir temporary;
    const ModelConfig config = tinyConfig(ModelFamily::qwen3);
    writeTinyCheckpoint(temporary.path().toStdString(), config, 3);
    const CausalLm model = load(temporary.path().toStdString());
    Intervention intervention;
    intervention.adapter = randomAdapter(config, 4);
    CausalLm merged = load(temporary.path().toStdString());
    merge(*intervention.adapter, merged);
    const std::vector<ScoredSequence> sequences = {
        randomSequence(config, 100, 7, 1), randomSequence(config, 9, 8, 2), randomSequence(config, 5, 5, 3)};
    const Divergence found = divergenceFromBase(model, intervention, sequences, {});
    QCOMPARE(found.tokens, int64_t{93 + 1});
    const double expected = referenceKl(merged, model, sequences);
    const double difference = std::abs(found.mean_kl - expected) / expected;
    std::printf("measured: KL to base %.6f nats, relative difference to the merged model %.2g\n", expected,
                difference);
    QVERIFY(expected > 1e-3 && difference < 1e-4);
}

void TestDivergence::isNothingForNothing() {
    QTemporaryDir temporary;
    const ModelConfig config = tinyConfig(ModelFamily::llama);
    writeTinyCheckpoint(temporary.path().toStdString(), config, 3);
    const CausalLm model = load(temporary.path().toStdString());
    const std::vector<ScoredSequence> sequences = {randomSequence(config, 20, 7, 1)};
    const Divergence found = divergenceFromBase(model, Intervention(), sequences, {});
    QCOMPARE(found.tokens, int64_t{13});
    QCOMPARE(found.mean_kl, 0.0);
}

QTEST_GUILESS_MAIN(TestDivergence)
#include "tst_divergence.moc"
