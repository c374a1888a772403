// The numbers of generation's model, cached and token by token, against a full forward of the readable model
// in float32: every compute type, every instruction set of this processor, past the positions a model was
// trained on.

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "core/io/checkpoint.h"
#include "core/model/causal_lm.h"
#include "core/model/packed_lm.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;

namespace {

constexpr int64_t kTokens = 300;

std::vector<Isa> availableIsas() {
    std::vector<Isa> isas = {Isa::portable};
    if (detectIsa() != Isa::portable)
        isas.push_back(Isa::avx2);
    if (detectIsa() == Isa::avx512_bf16)
        isas.push_back(Isa::avx512_bf16);
    return isas;
}

std::vector<int32_t> randomIds(int64_t count, int64_t vocabulary) {
    std::mt19937 generator(4);
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int32_t& id : ids)
        id = static_cast<int32_t>(generator() % static_cast<uint32_t>(vocabulary));
    return ids;
}

/// Logits of every position [T, vocab_size]: the first 40 tokens in one piece, then one after the other.
std::vector<float> cachedLogits(PackedLm& model, const std::vector<int32_t>& ids) {
    KvCache cache = model.makeCache(1, static_cast<int64_t>(ids.size()));
    const auto vocabulary = static_cast<size_t>(model.config().vocab_size);
    std::vector<float> logits;
    for (size_t first = 0; first < ids.size();) {
        const size_t count = first == 0 ? 40 : 1;
        std::vector<StepRow> rows;
        for (size_t t = first; t < first + count; ++t)
            rows.push_back({ids[t], 0, static_cast<int64_t>(t), true});
        const std::span<float> out = model.step(rows, cache);
        for (size_t row = 0; row < count; ++row) {
            const auto from = out.begin() + static_cast<std::ptrdiff_t>(row) * model.logitsStride();
            logits.insert(logits.end(), from, from + static_cast<std::ptrdiff_t>(vocabulary));
        }
        first += count;
    }
    return logits;
}

struct Difference {
    double worst = 0;      // largest |difference|
    double rms = 0;        // root of the mean square difference
    double rms_logit = 0;  // of the reference
};

Difference compare(const std::vector<float>& logits, const std::vector<float>& reference) {
    Difference difference;
    for (size_t i = 0; i < reference.size(); ++i) {
        const double expected = reference[i];
        const double d = std::abs(static_cast<double>(logits.at(i)) - expected);
        difference.worst = d <= difference.worst ? difference.worst : d;  // NaN stays
        difference.rms += d * d;
        difference.rms_logit += expected * expected;
    }
    const auto count = static_cast<double>(reference.size());
    difference.rms = std::sqrt(difference.rms / count);
    difference.rms_logit = std::sqrt(difference.rms_logit / count);
    return difference;
}

/// What rounding to a type may do to a logit, as a part of the logits' size. A rounding is off by up to u,
/// half a step of the last place, and by about 0.4 u on average. bfloat16 rounds the inputs of the four
/// linears of a layer, K, V and the head's input; float16 K and V alone. Their errors are independent, so
/// they add up as squares; a layer of these random models passes them on at about their size. That gives 0.4
/// u sqrt(n), found are 0.5 to 0.6; allowed is 1. Weights read in a wrong place, or a lost element of a row
/// of 48, give more than 0.1.
double expectedRms(DType type, int64_t layers) {
    const double u = type == DType::bfloat16 ? 1.0 / 256 : 1.0 / 2048;
    const int64_t roundings = type == DType::bfloat16 ? 6 * layers + 1 : 2 * layers;
    return u * std::sqrt(static_cast<double>(roundings));
}

}  // namespace

class TestPackedLmReference : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void equalsFullForward_data();
    void equalsFullForward();

private:
    static ModelConfig config(const QString& variant);
};

void TestPackedLmReference::equalsFullForward_data() {
    QTest::addColumn<QString>("variant");
    QTest::addColumn<int>("dtype");
    for (const char* variant : {"qwen2", "qwen3", "llama", "llama3 scaling"})
        for (const DType dtype : {DType::float32, DType::bfloat16, DType::float16})
            QTest::addRow("%s, %s", variant, std::string(name(dtype)).c_str())
                << variant << static_cast<int>(dtype);
}

ModelConfig TestPackedLmReference::config(const QString& variant) {
    ModelConfig config = test::tinyConfig(variant == "qwen2"   ? ModelFamily::qwen2
                                          : variant == "qwen3" ? ModelFamily::qwen3
                                                               : ModelFamily::llama);
    if (variant == "llama3 scaling")
        config.rope = {RopeConfig::Kind::llama3, 10000.0, 8.0, 1.0, 4.0, 64};  // kTokens goes far beyond 64
    return config;
}

void TestPackedLmReference::equalsFullForward() {
    QFETCH(QString, variant);
    QFETCH(int, dtype);
    const auto type = static_cast<DType>(dtype);
    const ModelConfig shape = config(variant);
    const std::vector<int32_t> ids = randomIds(kTokens, shape.vocab_size);
    // The readable model computes in float32 with weights that were rounded before it reads them.
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    test::writeTinyCheckpoint(path / "exact", shape, 11);
    test::writeTinyCheckpoint(path / "rounded", shape, 11, type);
    const Checkpoint exact = Checkpoint::open(path / "exact");
    QCOMPARE(exact.config().rope.kind, shape.rope.kind);
    const std::vector<float> reference =
        CausalLm::load(Checkpoint::open(path / "rounded"), DType::float32, {}).logits({1, kTokens, ids}, {});

    ThreadPool pool(2);
    double worst = 0;
    double rms = 0;
    for (const Isa isa : availableIsas()) {
        PackedLm model = PackedLm::load(exact, type, pool, isa, {});
        const Difference found = compare(cachedLogits(model, ids), reference);
        QVERIFY(found.rms_logit > 1);  // a flat model would prove nothing
        if (type == DType::float32) {
            QVERIFY2(found.worst <= 1e-4, std::string(name(isa)).c_str());
        } else {
            const double expected = expectedRms(type, shape.num_hidden_layers) * found.rms_logit;
            QVERIFY2(found.rms <= expected && found.worst <= 10 * expected, std::string(name(isa)).c_str());
            QVERIFY(found.rms >= expected / 10);  // else it did not compute in this type
        }
        worst = std::max(worst, found.worst);
        rms = std::max(rms, found.rms / found.rms_logit);
    }
    std::printf(
        "measured: cached decode against full forward, %s, %s, %d instruction sets, %d positions: "
        "largest difference %.2g, root mean square %.2g of the logits'\n",
        qPrintable(variant), std::string(name(type)).c_str(), static_cast<int>(availableIsas().size()),
        static_cast<int>(kTokens), worst, rms);
}

QTEST_GUILESS_MAIN(TestPackedLmReference)
#include "tst_packed_lm_reference.moc"
