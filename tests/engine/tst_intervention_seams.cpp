// The readable model with an intervention: the same numbers as PackedLm's, only in the calls that it is
// handed to, and nothing is left in the model.

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <random>

#include "core/intervene/intervention_seams_torch.h"
#include "core/intervene/packed_interventions.h"
#include "core/io/checkpoint.h"
#include "core/model/packed_lm.h"
#include "tests/support/interventions.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;

namespace {

constexpr int64_t kTokens = 40;
constexpr int64_t kPrompt = 25;

TokenBatch randomBatch(int64_t vocabulary) {
    std::mt19937 generator(9);
    TokenBatch batch = {1, kTokens, {}};
    for (int64_t t = 0; t < kTokens; ++t)
        batch.ids.push_back(static_cast<int32_t>(generator() % static_cast<uint32_t>(vocabulary)));
    return batch;
}

std::vector<float> readable(const CausalLm& model, const TokenBatch& batch, const ForwardSeams& seams) {
    const at::NoGradGuard no_gradients;
    const at::Tensor logits = model.logits(model.hiddenStates(batch, seams, {})).to(at::kFloat).contiguous();
    return {logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel()};
}

std::vector<float> packed(PackedLm& model, const TokenBatch& batch, const Intervention& intervention) {
    const PackedInterventions prepared = model.prepare({&intervention, 1}, {});
    KvCache cache = model.makeCache(1, kTokens);
    std::vector<StepRow> rows;
    for (int64_t t = 0; t < kTokens; ++t)
        rows.push_back({batch.ids[static_cast<size_t>(t)], 0, t, true, t < kPrompt, 0});
    const std::span<float> logits = model.step(rows, cache, prepared);
    std::vector<float> values;
    for (int64_t t = 0; t < kTokens; ++t)
        values.insert(values.end(), logits.begin() + t * model.logitsStride(),
                      logits.begin() + t * model.logitsStride() + model.config().vocab_size);
    return values;
}

double relativeDifference(const std::vector<float>& left, const std::vector<float>& right) {
    double worst = 0;
    double largest = 1;
    for (size_t i = 0; i < right.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(left[i]) - static_cast<double>(right[i])));
        largest = std::max(largest, std::abs(static_cast<double>(right[i])));
    }
    return worst / largest;
}

}  // namespace

class TestInterventionSeams : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void equalsPackedModel_data();
    void equalsPackedModel();
    void endsWithItsCall();
    void saysWhetherOneIsActive();

private:
    Checkpoint open(ModelFamily family) const {
        const std::filesystem::path path = folder_.path().toStdString();
        test::writeTinyCheckpoint(path, test::tinyConfig(family), 11);
        return Checkpoint::open(path);
    }
    const QTemporaryDir folder_;
};

void TestInterventionSeams::equalsPackedModel_data() {
    QTest::addColumn<int>("family");
    QTest::newRow("qwen2") << static_cast<int>(ModelFamily::qwen2);
    QTest::newRow("qwen3") << static_cast<int>(ModelFamily::qwen3);
    QTest::newRow("llama") << static_cast<int>(ModelFamily::llama);
}

void TestInterventionSeams::equalsPackedModel() {
    QFETCH(int, family);
    const Checkpoint checkpoint = open(static_cast<ModelFamily>(family));
    const ModelConfig& config = checkpoint.config();
    ThreadPool pool(2);
    PackedLm fast = PackedLm::load(checkpoint, DType::float32, pool, detectIsa(), {});
    const CausalLm model = CausalLm::load(checkpoint, DType::float32, {});
    const TokenBatch batch = randomBatch(config.vocab_size);
    const std::vector<float> base = readable(model, batch, {});
    double worst = 0;
    for (const KvSite site : {KvSite::proj, KvSite::post_norm, KvSite::post_rope})
        for (const ProjectApply apply : {ProjectApply::folded, ProjectApply::activation})
            for (const ProjectWhen when :
                 {ProjectWhen::all, ProjectWhen::decode_only, ProjectWhen::prefill_only})
                for (const bool with_adapter : {false, true}) {
                    if ((site == KvSite::post_norm && !config.qk_norm) ||
                        (site != KvSite::proj && apply == ProjectApply::folded))
                        continue;
                    Intervention intervention = {
                        test::randomProjection(config, {.site = site, .when = when, .apply = apply}), {}};
                    if (with_adapter)
                        intervention.adapter = test::randomAdapter(config, 3);
                    const std::vector<float> expected =
                        readable(model, batch, interventionSeams(model, intervention, kPrompt));
                    QVERIFY(relativeDifference(expected, base) > 0.01);
                    worst = std::max(worst, relativeDifference(packed(fast, batch, intervention), expected));
                }
    std::printf("measured: %s, packed against readable model with interventions: largest difference %.2g\n",
                QTest::currentDataTag(), worst);
    QVERIFY(worst <= 1e-5);
}

/// The same bits before and after, and beside seams that are still there.
void TestInterventionSeams::endsWithItsCall() {
    const Checkpoint checkpoint = open(ModelFamily::qwen2);
    const ModelConfig& config = checkpoint.config();
    const TokenBatch batch = randomBatch(config.vocab_size);
    ThreadPool pool(2);
    const CausalLm model = CausalLm::load(checkpoint, DType::float32, {});
    PackedLm fast = PackedLm::load(checkpoint, DType::float32, pool, detectIsa(), {});
    const std::vector<float> base = readable(model, batch, {});
    const std::vector<float> fast_base = packed(fast, batch, {});
    const Intervention intervention = {test::randomProjection(config, {}), test::randomAdapter(config, 3)};
    const ForwardSeams seams = interventionSeams(model, intervention);
    QVERIFY(readable(model, batch, seams) != base);
    QCOMPARE(readable(model, batch, {}), base);
    QVERIFY(packed(fast, batch, intervention) != fast_base);
    QCOMPARE(packed(fast, batch, {}), fast_base);
    QCOMPARE(readable(model, batch, interventionSeams(model, {})), base);
}

void TestInterventionSeams::saysWhetherOneIsActive() {
    const Checkpoint checkpoint = open(ModelFamily::qwen2);
    const CausalLm model = CausalLm::load(checkpoint, DType::float32, {});
    const std::string line =
        "no intervention is active: K and V are not projected, no other adapter is applied";
    ForwardSeams own;
    own.linear = [](int64_t, AttentionLinear, const at::Tensor&, const at::Tensor& y) { return y; };
    QCOMPARE(assertNoIntervention(own), line);
    QCOMPARE(assertNoIntervention(interventionSeams(model, {})), line);
    const ModelConfig& config = checkpoint.config();
    for (const ProjectApply apply : {ProjectApply::folded, ProjectApply::activation}) {
        const Intervention projection = {test::randomProjection(config, {.apply = apply}), {}};
        QVERIFY_EXCEPTION_THROWN(assertNoIntervention(interventionSeams(model, projection)), Error);
    }
    const Intervention adapter = {{}, test::randomAdapter(config, 1)};
    QVERIFY_EXCEPTION_THROWN(assertNoIntervention(interventionSeams(model, adapter)), Error);
    own.kv = [](int64_t, KvStream, KvSite, const at::Tensor& x) { return x; };
    QVERIFY_EXCEPTION_THROWN(assertNoIntervention(own), Error);
}

QTEST_GUILESS_MAIN(TestInterventionSeams)
#include "tst_intervention_seams.moc"
