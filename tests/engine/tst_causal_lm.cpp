// The readable model: a batch equals its sequences alone, what stands to the right never leaks, what cannot
// be computed is refused. Its numbers are compared with transformers by tests/oracle/test_forward.py.

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>

#include "core/model/causal_lm.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;

namespace {

std::vector<int32_t> randomIds(int64_t count, int64_t vocabulary, uint32_t seed) {
    std::mt19937 generator(seed);
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int32_t& id : ids)
        id = static_cast<int32_t>(generator() % static_cast<uint32_t>(vocabulary));
    return ids;
}

TokenBatch padded(const std::vector<std::vector<int32_t>>& sequences, int32_t pad) {
    size_t columns = 0;
    for (const auto& ids : sequences)
        columns = std::max(columns, ids.size());
    TokenBatch batch = {static_cast<int64_t>(sequences.size()), static_cast<int64_t>(columns), {}};
    for (const auto& ids : sequences) {
        batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
        batch.ids.resize(batch.ids.size() + columns - ids.size(), pad);
    }
    return batch;
}

}  // namespace

class TestCausalLm : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void batchEqualsSingle_data() { families(); }
    void batchEqualsSingle();
    void paddingNeverLeaks_data() { families(); }
    void paddingNeverLeaks();
    void laterTokensChangeNothingBefore();
    void refusesWhatItCannotCompute_data();
    void refusesWhatItCannotCompute();
    void stopsWhenAsked();

private:
    static void families() {
        QTest::addColumn<int>("family");
        QTest::newRow("qwen2") << static_cast<int>(ModelFamily::qwen2);
        QTest::newRow("qwen3") << static_cast<int>(ModelFamily::qwen3);
        QTest::newRow("llama") << static_cast<int>(ModelFamily::llama);
    }
    Checkpoint open(ModelFamily family) const {
        const std::filesystem::path path = folder_.path().toStdString();
        test::writeTinyCheckpoint(path, test::tinyConfig(family), 5);
        return Checkpoint::open(path);
    }
    const QTemporaryDir folder_;
};

void TestCausalLm::batchEqualsSingle() {
    QFETCH(int, family);
    const CausalLm model = CausalLm::load(open(static_cast<ModelFamily>(family)), DType::float32, {});
    const auto vocabulary = static_cast<size_t>(model.config().vocab_size);
    std::vector<std::vector<int32_t>> sequences;
    for (const int64_t length : {1, 33, 100, 7})
        sequences.push_back(randomIds(length, model.config().vocab_size, static_cast<uint32_t>(length)));
    const TokenBatch batch = padded(sequences, 0);
    const std::vector<float> together = model.logits(batch, {});
    QCOMPARE(together.size(), batch.ids.size() * vocabulary);

    double worst = 0;
    double largest = 1;
    for (size_t row = 0; row < sequences.size(); ++row) {
        const std::vector<float> alone = model.logits(padded({sequences[row]}, 0), {});
        QCOMPARE(alone.size(), sequences[row].size() * vocabulary);
        const float* same = together.data() + row * static_cast<size_t>(batch.columns) * vocabulary;
        for (size_t i = 0; i < alone.size(); ++i) {
            worst = std::max(worst, std::abs(static_cast<double>(alone[i]) - static_cast<double>(same[i])));
            largest = std::max(largest, std::abs(static_cast<double>(alone[i])));
        }
    }
    std::printf(
        "measured: %s, a batch of 4 against its sequences alone: largest difference %.2g, largest logit "
        "%.1f\n",
        QTest::currentDataTag(), worst, largest);
    QVERIFY(largest > 2);  // a flat model would prove nothing
    QVERIFY(worst <= 1e-5 * largest);
}

void TestCausalLm::paddingNeverLeaks() {
    QFETCH(int, family);
    const Checkpoint checkpoint = open(static_cast<ModelFamily>(family));
    const auto vocabulary = static_cast<size_t>(checkpoint.config().vocab_size);
    const std::vector<std::vector<int32_t>> sequences = {randomIds(9, checkpoint.config().vocab_size, 1),
                                                         randomIds(64, checkpoint.config().vocab_size, 2)};
    for (const DType dtype : {DType::float32, DType::bfloat16}) {
        const CausalLm model = CausalLm::load(checkpoint, dtype, {});
        const std::vector<float> a = model.logits(padded(sequences, 3), {});
        const std::vector<float> b = model.logits(padded(sequences, 77), {});
        QVERIFY(std::memcmp(a.data(), b.data(), sequences[0].size() * vocabulary * sizeof(float)) == 0);
        QVERIFY(a != b);  // the padding itself was computed
        const size_t second = 64 * vocabulary;
        QVERIFY(std::memcmp(a.data() + second, b.data() + second, second * sizeof(float)) == 0);
    }
}

void TestCausalLm::laterTokensChangeNothingBefore() {
    const CausalLm model = CausalLm::load(open(ModelFamily::qwen3), DType::float32, {});
    const auto vocabulary = static_cast<size_t>(model.config().vocab_size);
    std::vector<int32_t> ids = randomIds(40, model.config().vocab_size, 6);
    const std::vector<float> before = model.logits(padded({ids}, 0), {});
    ids[25] = (ids[25] + 1) % static_cast<int32_t>(vocabulary);
    const std::vector<float> after = model.logits(padded({ids}, 0), {});
    QVERIFY(std::memcmp(before.data(), after.data(), 25 * vocabulary * sizeof(float)) == 0);
    for (size_t t = 25; t < 40; ++t)
        QVERIFY(std::memcmp(before.data() + t * vocabulary, after.data() + t * vocabulary,
                            vocabulary * sizeof(float)) != 0);
}

void TestCausalLm::refusesWhatItCannotCompute_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    QTest::addColumn<int>("id");
    QTest::addColumn<QByteArray>("message");
    QTest::newRow("T = 0") << 1 << 0 << 0 << QByteArray("there are no token ids");
    QTest::newRow("B = 0") << 0 << 5 << 0 << QByteArray("there are no token ids");
    QTest::newRow("longer than the positions")
        << 1 << 513 << 0 << QByteArray("513 tokens, the model has 512 positions");
    QTest::newRow("id past the vocabulary")
        << 2 << 3 << 131 << QByteArray("token id 131 is outside the vocabulary of 131");
    QTest::newRow("negative id") << 1 << 1 << -1
                                 << QByteArray("token id -1 is outside the vocabulary of 131");
}

void TestCausalLm::refusesWhatItCannotCompute() {
    QFETCH(int, rows);
    QFETCH(int, columns);
    QFETCH(int, id);
    QFETCH(QByteArray, message);
    const CausalLm model = CausalLm::load(open(ModelFamily::qwen2), DType::float32, {});
    TokenBatch batch = {rows, columns, std::vector<int32_t>(static_cast<size_t>(rows * columns))};
    if (!batch.ids.empty())
        batch.ids.back() = id;
    try {
        model.logits(batch, {});
        QFAIL("accepted");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::invalid_argument);
        QCOMPARE(QByteArray(error.what()), message);
    }
}

void TestCausalLm::stopsWhenAsked() {
    const Checkpoint checkpoint = open(ModelFamily::qwen2);
    std::stop_source stop;
    const JobContext context = {stop.get_token(), {}};
    const CausalLm model = CausalLm::load(checkpoint, DType::float32, context);
    stop.request_stop();
    QVERIFY_EXCEPTION_THROWN(model.logits(padded({{1, 2, 3}}, 0), context), Cancelled);
    QVERIFY_EXCEPTION_THROWN(CausalLm::load(checkpoint, DType::float32, context), Cancelled);
}

QTEST_GUILESS_MAIN(TestCausalLm)
#include "tst_causal_lm.moc"
