// Generation's model: cached decode, prompt pieces, batches and threads give the same bits. Its numbers are
// held against the readable model's in tst_packed_lm_reference.cpp.

#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <cstring>
#include <random>

#include "core/io/checkpoint.h"
#include "core/model/packed_lm.h"
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

/// Logits of every position, computed in pieces of `piece` tokens in one slot.
std::vector<std::vector<float>> inPieces(PackedLm& model, const std::vector<int32_t>& ids, int64_t piece,
                                         int64_t slot, KvCache& cache) {
    std::vector<std::vector<float>> logits;
    const auto vocabulary = static_cast<size_t>(model.config().vocab_size);
    const auto stride = static_cast<size_t>(model.logitsStride());
    for (int64_t first = 0; first < static_cast<int64_t>(ids.size()); first += piece) {
        std::vector<StepRow> rows;
        for (int64_t t = first; t < std::min(first + piece, static_cast<int64_t>(ids.size())); ++t)
            rows.push_back({ids[static_cast<size_t>(t)], slot, t, true});
        const std::span<float> out = model.step(rows, cache);
        for (size_t row = 0; row < rows.size(); ++row)
            logits.emplace_back(out.begin() + static_cast<std::ptrdiff_t>(row * stride),
                                out.begin() + static_cast<std::ptrdiff_t>(row * stride + vocabulary));
    }
    return logits;
}

}  // namespace

class TestPackedLm : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void piecesSlotsAndThreadsGiveTheSameBits_data() { families(); }
    void piecesSlotsAndThreadsGiveTheSameBits();
    void mixedStepGivesTheSameBits_data() { families(); }
    void mixedStepGivesTheSameBits();
    void stopsBetweenLayers();

private:
    static void families() {
        QTest::addColumn<int>("family");
        QTest::newRow("qwen2") << static_cast<int>(ModelFamily::qwen2);
        QTest::newRow("qwen3") << static_cast<int>(ModelFamily::qwen3);
        QTest::newRow("llama") << static_cast<int>(ModelFamily::llama);
    }
    Checkpoint open(const QTemporaryDir& folder) const {
        QFETCH(int, family);
        const std::filesystem::path path = folder.path().toStdString();
        test::writeTinyCheckpoint(path, test::tinyConfig(static_cast<ModelFamily>(family)), 11);
        return Checkpoint::open(path);
    }
    static constexpr DType kTypes[] = {DType::float32, DType::bfloat16, DType::float16};
};

void TestPackedLm::piecesSlotsAndThreadsGiveTheSameBits() {
    const QTemporaryDir folder;
    const Checkpoint checkpoint = open(folder);
    const std::vector<int32_t> ids = randomIds(70, checkpoint.config().vocab_size, 1);
    ThreadPool one(1);
    ThreadPool three(3);
    for (DType dtype : kTypes) {
        PackedLm model = PackedLm::load(checkpoint, dtype, one, detectIsa(), {});
        KvCache cache = model.makeCache(2, 80);
        const auto reference = inPieces(model, ids, 1, 0, cache);
        QCOMPARE(inPieces(model, ids, 70, 1, cache), reference);
        PackedLm threaded = PackedLm::load(checkpoint, dtype, three, detectIsa(), {});
        KvCache other = threaded.makeCache(1, 70);
        QCOMPARE(inPieces(threaded, ids, 17, 0, other), reference);
    }
}

void TestPackedLm::mixedStepGivesTheSameBits() {
    const QTemporaryDir folder;
    const Checkpoint checkpoint = open(folder);
    ThreadPool pool(2);
    PackedLm model = PackedLm::load(checkpoint, DType::bfloat16, pool, detectIsa(), {});
    const std::vector<int32_t> a = randomIds(20, checkpoint.config().vocab_size, 2);
    const std::vector<int32_t> b = randomIds(9, checkpoint.config().vocab_size, 3);
    KvCache cache = model.makeCache(3, 64);
    const std::vector<float> a_alone = inPieces(model, a, 20, 0, cache).back();
    const std::vector<float> b_alone = inPieces(model, b, 9, 1, cache).back();

    // Slot 0 decodes its last token while slot 2 takes in the other prompt.
    std::vector<StepRow> rows = {{a.back(), 0, 19, true}};
    for (size_t t = 0; t < b.size(); ++t)
        rows.push_back({b[t], 2, static_cast<int64_t>(t), t + 1 == b.size()});
    const std::span<float> logits = model.step(rows, cache);
    QVERIFY(std::memcmp(logits.data(), a_alone.data(), a_alone.size() * 4) == 0);
    QVERIFY(std::memcmp(logits.data() + model.logitsStride(), b_alone.data(), b_alone.size() * 4) == 0);
}

void TestPackedLm::stopsBetweenLayers() {
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    test::writeTinyCheckpoint(path, test::tinyConfig(ModelFamily::llama), 3);
    const Checkpoint checkpoint = Checkpoint::open(path);
    ThreadPool pool(2);
    PackedLm model = PackedLm::load(checkpoint, DType::float32, pool, detectIsa(), {});
    KvCache cache = model.makeCache(1, 16);
    const std::vector<StepRow> rows = {{1, 0, 0, true}};
    std::stop_source stop;
    const JobContext context = {stop.get_token(), {}};
    QVERIFY(!model.step(rows, cache, context).empty());
    stop.request_stop();
    QVERIFY_THROWS_EXCEPTION(Cancelled, model.step(rows, cache, context));
    QVERIFY_THROWS_EXCEPTION(Cancelled,
                             PackedLm::load(checkpoint, DType::float32, pool, detectIsa(), context));
}

QTEST_GUILESS_MAIN(TestPackedLm)
#include "tst_packed_lm.moc"
