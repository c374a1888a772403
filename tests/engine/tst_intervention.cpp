// Projections and adapters: what must change nothing changes nothing, folded and explicit products agree, the
// packed and the readable model agree, and what one row is computed with changes no other row.

#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <cstring>
#include <random>

#include "core/intervene/intervention.h"
#include "core/intervene/packed_interventions.h"
#include "core/io/checkpoint.h"
#include "core/model/packed_lm.h"
#include "tests/support/interventions.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;
using test::Keep;

namespace {

using Logits = std::vector<std::vector<float>>;

std::vector<int32_t> randomIds(int64_t count, int64_t vocabulary, uint32_t seed) {
    std::mt19937 generator(seed);
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int32_t& id : ids)
        id = static_cast<int32_t>(generator() % static_cast<uint32_t>(vocabulary));
    return ids;
}

/// Largest difference of the logits, relative to the largest logit where that is above 1.
double relativeDifference(const Logits& left, const Logits& right) {
    double worst = 0;
    double largest = 1;
    for (size_t t = 0; t < right.size(); ++t)
        for (size_t n = 0; n < right[t].size(); ++n) {
            worst =
                std::max(worst, std::abs(static_cast<double>(left[t][n]) - static_cast<double>(right[t][n])));
            largest = std::max(largest, std::abs(static_cast<double>(right[t][n])));
        }
    return worst / largest;
}

struct Sequence {
    std::vector<int32_t> ids;
    int64_t prompt_length;
    int32_t intervention;
};

/// Logits of every position of every sequence. Step s computes the next token of each sequence that is not at
/// its end, and the first step the first half of each, so that prompts and new tokens share steps.
std::vector<Logits> computeTogether(PackedLm& model, const std::vector<Sequence>& sequences,
                                    const PackedInterventions& interventions) {
    KvCache cache = model.makeCache(static_cast<int64_t>(sequences.size()), 64);
    std::vector<Logits> logits(sequences.size());
    const auto vocabulary = static_cast<size_t>(model.config().vocab_size);
    for (bool more = true; more;) {
        std::vector<StepRow> rows;
        for (size_t s = 0; s < sequences.size(); ++s) {
            const Sequence& sequence = sequences[s];
            const size_t done = logits[s].size();
            const size_t count =
                std::min(done == 0 ? sequence.ids.size() / 2 : 1, sequence.ids.size() - done);
            for (size_t t = done; t < done + count; ++t)
                rows.push_back({sequence.ids[t], static_cast<int64_t>(s), static_cast<int64_t>(t), true,
                                static_cast<int64_t>(t) < sequence.prompt_length, sequence.intervention});
        }
        more = !rows.empty();
        const float* out = more ? model.step(rows, cache, interventions).data() : nullptr;
        for (size_t i = 0; i < rows.size(); ++i, out += model.logitsStride())
            logits[static_cast<size_t>(rows[i].slot)].emplace_back(out, out + vocabulary);
    }
    return logits;
}

Logits computeAlone(PackedLm& model, const std::vector<int32_t>& ids, const Intervention& intervention,
                    int64_t prompt_length) {
    const PackedInterventions prepared = model.prepare({&intervention, 1}, {});
    return computeTogether(model, {{ids, prompt_length, 0}}, prepared)[0];
}

Logits computeAlone(PackedLm& model, const std::vector<int32_t>& ids, const Intervention& intervention) {
    return computeAlone(model, ids, intervention, static_cast<int64_t>(ids.size()));
}

/// V of a position as the cache holds it, float32 only: [kvWidth()].
std::vector<float> cachedValues(const KvCache& cache, const ModelConfig& config, int64_t layer,
                                int64_t position) {
    std::vector<float> values;
    for (int64_t head = 0; head < config.num_key_value_heads; ++head) {
        const auto* from =
            static_cast<const float*>(cache.values(0, layer, head)) + position * cache.valueStride();
        values.insert(values.end(), from, from + config.head_dim);
    }
    return values;
}

/// K of a position, after RoPE.
std::vector<float> cachedKeys(const KvCache& cache, const ModelConfig& config, int64_t layer,
                              int64_t position) {
    std::vector<float> keys;
    for (int64_t head = 0; head < config.num_key_value_heads; ++head) {
        const auto* block = static_cast<const float*>(cache.keys(0, layer, head)) +
                            position / kLanes * kLanes * config.head_dim + position % kLanes;
        for (int64_t d = 0; d < config.head_dim; ++d)
            keys.push_back(block[d * kLanes]);
    }
    return keys;
}

}  // namespace

class TestIntervention : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatKeepsEverythingChangesNothing_data() { families(); }
    void whatKeepsEverythingChangesNothing();
    void projectionAndComplementAddUp_data() { families(); }
    void projectionAndComplementAddUp();
    void foldedEqualsActivation_data() { families(); }
    void foldedEqualsActivation();
    void mixingChangesNoRow_data() { families(); }
    void mixingChangesNoRow();
    void actsOnlyWhenItShould_data() { families(); }
    void actsOnlyWhenItShould();
    void adapterEqualsMergedWeights();
    void takesLittleMemory();
    void refusesWhatDoesNotFit();

private:
    static void families() {
        QTest::addColumn<int>("family");
        QTest::addColumn<int>("heads");
        QTest::newRow("qwen2") << static_cast<int>(ModelFamily::qwen2) << 4;
        QTest::newRow("qwen3") << static_cast<int>(ModelFamily::qwen3) << 4;
        QTest::newRow("llama") << static_cast<int>(ModelFamily::llama) << 4;
        // q ends and k begins inside a block of 16 rows: 24 = 16 + 8
        QTest::newRow("qwen2, q and k share a block") << static_cast<int>(ModelFamily::qwen2) << 2;
    }
    Checkpoint open() const {
        QFETCH(int, family);
        QFETCH(int, heads);
        return open(static_cast<ModelFamily>(family), heads);
    }
    Checkpoint open(ModelFamily family, int heads = 4) const {
        const std::filesystem::path path = folder_.path().toStdString();
        ModelConfig config = test::tinyConfig(family);
        config.num_attention_heads = heads;
        test::writeTinyCheckpoint(path, config, 11);
        return Checkpoint::open(path);
    }
    const QTemporaryDir folder_;
    ThreadPool pool_{2};
    static constexpr DType kTypes[] = {DType::float32, DType::bfloat16, DType::float16};
};

/// Strength 0 and rank d: M is I, exactly and up to rounding.
void TestIntervention::whatKeepsEverythingChangesNothing() {
    const Checkpoint checkpoint = open();
    const ModelConfig& config = checkpoint.config();
    const std::vector<int32_t> ids = randomIds(20, config.vocab_size, 1);
    double worst = 0;
    for (const DType dtype : kTypes) {
        PackedLm model = PackedLm::load(checkpoint, dtype, pool_, detectIsa(), {});
        const Logits base = computeAlone(model, ids, {});
        for (const ProjectApply apply : {ProjectApply::folded, ProjectApply::activation}) {
            const Projection none = test::randomProjection(config, {.strength = 0, .apply = apply});
            QCOMPARE(computeAlone(model, ids, {none, {}}), base);
            const Projection whole =
                test::randomProjection(config, {.rank = config.kvWidth(), .apply = apply});
            const double difference = relativeDifference(computeAlone(model, ids, {whole, {}}), base);
            if (apply == ProjectApply::folded || dtype == DType::float32)
                worst = std::max(worst, difference);
            const Projection half = test::randomProjection(config, {.apply = apply});
            QVERIFY(relativeDifference(computeAlone(model, ids, {half, {}}), base) > 0.01);
        }
    }
    std::printf("measured: %s, rank d against no projection: largest difference %.2g of the largest logit\n",
                QTest::currentDataTag(), worst);
    QVERIFY(worst <= 1e-5);
}

/// K P + K (I - P) = K, the same for V, seen in the cache of the first layer, whose input is the same.
void TestIntervention::projectionAndComplementAddUp() {
    const Checkpoint checkpoint = open();
    const ModelConfig& config = checkpoint.config();
    PackedLm model = PackedLm::load(checkpoint, DType::float32, pool_, detectIsa(), {});
    const bool sites_before_norm = !config.qk_norm;
    const auto values = [&](const std::optional<Projection>& projection, bool keys) {
        const Intervention intervention = {projection, {}};
        const PackedInterventions prepared = model.prepare({&intervention, 1}, {});
        KvCache cache = model.makeCache(1, 32);
        std::vector<StepRow> rows;
        for (int32_t t = 0; t < 20; ++t)
            rows.push_back({t, 0, t, false, true, 0});
        model.step(rows, cache, prepared);
        return keys ? cachedKeys(cache, config, 0, 19) : cachedValues(cache, config, 0, 19);
    };
    double worst = 0;
    for (const ProjectApply apply : {ProjectApply::folded, ProjectApply::activation})
        for (const bool keys : {false, true}) {
            // After k_norm the parts of K do not add up, unless they are cut behind it.
            const KvSite site =
                sites_before_norm || apply == ProjectApply::folded ? KvSite::proj : KvSite::post_rope;
            if (keys && !sites_before_norm && site == KvSite::proj)
                continue;
            const test::ProjectionPlan plan = {.layers = {0}, .site = site, .apply = apply};
            test::ProjectionPlan rest = plan;
            rest.keep = Keep::complement;
            const std::vector<float> kept = values(test::randomProjection(config, plan), keys);
            const std::vector<float> removed = values(test::randomProjection(config, rest), keys);
            const std::vector<float> base = values({}, keys);
            for (size_t i = 0; i < base.size(); ++i) {
                worst = std::max(worst, std::abs(static_cast<double>(kept[i] + removed[i] - base[i])));
                QVERIFY(kept[i] != base[i] && removed[i] != base[i]);
            }
        }
    std::printf("measured: %s, projection + complement - identity in the cache: largest difference %.2g\n",
                QTest::currentDataTag(), worst);
    QVERIFY(worst <= 1e-5);
}

void TestIntervention::foldedEqualsActivation() {
    const Checkpoint checkpoint = open();
    const ModelConfig& config = checkpoint.config();
    const std::vector<int32_t> ids = randomIds(30, config.vocab_size, 2);
    PackedLm model = PackedLm::load(checkpoint, DType::float32, pool_, detectIsa(), {});
    const LoraAdapter adapter = test::randomAdapter(config, 8);
    double worst = 0;
    for (const double strength : {0.5, 1.0, 1.7})
        for (const bool with_adapter : {false, true})
            for (const ProjectWhen when :
                 {ProjectWhen::all, ProjectWhen::decode_only, ProjectWhen::prefill_only}) {
                Intervention intervention = {
                    test::randomProjection(config, {.layers = {0, 1, 2}, .strength = strength, .when = when}),
                    {}};
                intervention.projection->maps[{1, KvStream::k}].map =
                    test::perHeadMap(config.num_key_value_heads, config.head_dim, 4, 77);
                intervention.projection->maps.erase({2, KvStream::v});
                if (with_adapter)
                    intervention.adapter = adapter;
                const Logits folded = computeAlone(model, ids, intervention, 17);
                intervention.projection->apply = ProjectApply::activation;
                worst =
                    std::max(worst, relativeDifference(folded, computeAlone(model, ids, intervention, 17)));
            }
    std::printf("measured: %s, folded against activation: largest difference %.2g of the largest logit\n",
                QTest::currentDataTag(), worst);
    QVERIFY(worst <= 1e-5);
}

/// Base, projections of every kind, an adapter and both in one batch: every row has the bits that it has
/// alone.
void TestIntervention::mixingChangesNoRow() {
    const Checkpoint checkpoint = open();
    const ModelConfig& config = checkpoint.config();
    std::vector<Intervention> interventions(6);
    interventions[0].projection = test::randomProjection(config, {.seed = 2});
    interventions[1].adapter = test::randomAdapter(config, 50);
    interventions[2] = {
        test::randomProjection(config, {.layers = {1}, .when = ProjectWhen::decode_only, .seed = 3}),
        test::randomAdapter(config, 60)};
    interventions[3].projection = test::randomProjection(
        config, {.site = KvSite::post_rope, .apply = ProjectApply::activation, .seed = 4});
    interventions[4] = {
        test::randomProjection(
            config, {.when = ProjectWhen::prefill_only, .apply = ProjectApply::activation, .seed = 5}),
        test::randomAdapter(config, 70)};
    interventions[5].projection =
        test::randomProjection(config, {.layers = {0, 1, 2}, .when = ProjectWhen::prefill_only, .seed = 6});
    std::vector<Sequence> sequences;
    for (int32_t i = 0; i < 14; ++i)
        sequences.push_back({randomIds(13 + 3 * i % 11, config.vocab_size, static_cast<uint32_t>(i) / 2),
                             6 + i % 5, i % 7 - 1});
    for (const DType dtype : kTypes) {
        PackedLm model = PackedLm::load(checkpoint, dtype, pool_, detectIsa(), {});
        const PackedInterventions prepared = model.prepare(interventions, {});
        const std::vector<Logits> together = computeTogether(model, sequences, prepared);
        for (size_t s = 0; s < sequences.size(); ++s) {
            QCOMPARE(computeTogether(model, {sequences[s]}, prepared)[0], together[s]);
            if (sequences[s].intervention < 0)
                QCOMPARE(computeTogether(model, {sequences[s]}, {})[0], together[s]);
        }
        std::vector<Sequence> reversed(sequences.rbegin(), sequences.rend());
        std::vector<Logits> again = computeTogether(model, reversed, prepared);
        std::reverse(again.begin(), again.end());
        QCOMPARE(again, together);
    }
}

/// decode_only leaves the logits of the prompt as they are, prefill_only and decode_only together are neither
/// none nor all.
void TestIntervention::actsOnlyWhenItShould() {
    const Checkpoint checkpoint = open();
    const ModelConfig& config = checkpoint.config();
    const std::vector<int32_t> ids = randomIds(24, config.vocab_size, 3);
    constexpr int64_t kPrompt = 10;
    for (const DType dtype : {DType::float32, DType::bfloat16})
        for (const ProjectApply apply : {ProjectApply::folded, ProjectApply::activation}) {
            PackedLm model = PackedLm::load(checkpoint, dtype, pool_, detectIsa(), {});
            const auto compute = [&](ProjectWhen when, int64_t prompt_length) {
                return computeAlone(model, ids,
                                    {test::randomProjection(config, {.when = when, .apply = apply}), {}},
                                    prompt_length);
            };
            const Logits base = computeAlone(model, ids, {});
            const Logits all = compute(ProjectWhen::all, kPrompt);
            const Logits decode_only = compute(ProjectWhen::decode_only, kPrompt);
            const Logits prefill_only = compute(ProjectWhen::prefill_only, kPrompt);
            for (size_t t = 0; t < ids.size(); ++t) {
                const bool in_prompt = static_cast<int64_t>(t) < kPrompt;
                QCOMPARE(decode_only[t] == base[t], in_prompt);
                QCOMPARE(prefill_only[t] == all[t], in_prompt);
                QVERIFY(all[t] != base[t] && prefill_only[t] != decode_only[t]);
            }
            QCOMPARE(compute(ProjectWhen::all, 3), all);  // the prompt's end means nothing to it
            QCOMPARE(compute(ProjectWhen::decode_only, 0), all);
            QCOMPARE(compute(ProjectWhen::decode_only, 24), base);
            QCOMPARE(compute(ProjectWhen::prefill_only, 24), all);
            QCOMPARE(compute(ProjectWhen::prefill_only, 0), base);
        }
}

/// A rank-d LoRA that holds W (M - I) does what folding M does.
void TestIntervention::adapterEqualsMergedWeights() {
    const Checkpoint checkpoint = open(ModelFamily::llama);
    const ModelConfig& config = checkpoint.config();
    const std::vector<int32_t> ids = randomIds(20, config.vocab_size, 5);
    PackedLm model = PackedLm::load(checkpoint, DType::float32, pool_, detectIsa(), {});
    const Projection projection = test::randomProjection(config, {.layers = {0, 1, 2}});
    LoraAdapter adapter;
    const int64_t d = config.kvWidth();
    for (const auto& [target, map] : projection.maps) {
        const bool is_key = target.stream == KvStream::k;
        std::vector<float> weight(static_cast<size_t>(d * config.hidden_size));
        checkpoint.read("model.layers." + std::to_string(target.layer) + ".self_attn." +
                            (is_key ? "k" : "v") + "_proj.weight",
                        0, d * config.hidden_size, DType::float32, weight.data());
        std::vector<float> b;
        for (int64_t i = 0; i < d; ++i)
            for (int64_t j = 0; j < d; ++j)
                b.push_back(static_cast<float>(2 * (map.map(i, j) - (i == j ? 1 : 0))));
        adapter.modules.push_back(
            {target.layer, is_key ? AttentionLinear::k : AttentionLinear::v, d, 0.5, weight, b});
    }
    const double worst = relativeDifference(computeAlone(model, ids, {{}, adapter}),
                                            computeAlone(model, ids, {projection, {}}));
    std::printf("measured: LoRA that equals a projection against the projection: largest difference %.2g\n",
                worst);
    QVERIFY(worst <= 1e-5);
}

/// An intervention holds what differs, not a second model.
void TestIntervention::takesLittleMemory() {
    const Checkpoint checkpoint = open(ModelFamily::qwen2);
    const ModelConfig& config = checkpoint.config();
    const PackedLm model = PackedLm::load(checkpoint, DType::bfloat16, pool_, detectIsa(), {});
    const std::vector<Intervention> interventions = {
        {},
        {test::randomProjection(config, {.layers = {1}}), {}},
        {test::randomProjection(config, {.layers = {1}, .when = ProjectWhen::decode_only}),
         test::randomAdapter(config, 1)}};
    const PackedInterventions prepared = model.prepare(interventions, {});
    QCOMPARE(prepared.size(), 3);
    QVERIFY(prepared.variant(0, true) == nullptr &&
            prepared.variant(PackedInterventions::kNone, true) == nullptr);
    const int64_t folded = 2 * config.kvWidth() * config.hidden_size * 2;
    const PackedInterventions first = model.prepare({&interventions[1], 1}, {});
    QVERIFY(first.bytes() >= folded && first.bytes() <= folded + 32 * config.hidden_size * 2);
    const PackedInterventions adapter_alone =
        model.prepare(std::vector<Intervention>{{{}, interventions[2].adapter}}, {});
    QVERIFY(prepared.bytes() < 2 * first.bytes() + adapter_alone.bytes() * 5 / 3);
}

void TestIntervention::refusesWhatDoesNotFit() {
    const Checkpoint checkpoint = open(ModelFamily::qwen2);
    const ModelConfig& config = checkpoint.config();
    const PackedLm model = PackedLm::load(checkpoint, DType::float32, pool_, detectIsa(), {});
    const auto refusal = [&](const Intervention& intervention) -> std::string {
        try {
            model.prepare({&intervention, 1}, {});
        } catch (const Error& error) {
            return error.kind() == ErrorKind::invalid_argument ? error.what() : "another kind";
        }
        return "accepted";
    };
    const auto projected = [&](const test::ProjectionPlan& plan) -> Intervention {
        return {test::randomProjection(config, plan), {}};
    };
    QCOMPARE(refusal(projected({.layers = {3}})), "projection of 3.k: the model has 3 layers");
    QCOMPARE(refusal(projected({.site = KvSite::post_norm, .apply = ProjectApply::activation})),
             "site post_norm: the model has no k_norm");
    QCOMPARE(refusal(projected({.site = KvSite::post_rope})),
             "projection of 0.k: only site proj can be folded into the weights, not post_rope");
    Intervention bad = projected({});
    bad.projection->maps[{0, KvStream::k}].map = Eigen::MatrixXd::Identity(8, 8);
    QCOMPARE(refusal(bad), "projection of 0.k: the map is 8 x 8, K and V of the model are 24 wide");
    bad = projected({});
    bad.projection->maps[{2, KvStream::v}].map(1, 2) = std::nan("");
    QCOMPARE(refusal(bad), "projection of 2.v: the map has entries that are not finite");
    const auto adapted = [&](auto change) -> Intervention {
        LoraAdapter adapter = test::randomAdapter(config, 1);
        change(adapter.modules);
        return {{}, adapter};
    };
    using Modules = std::vector<LoraModule>;
    QCOMPARE(refusal(adapted([](Modules& modules) { modules[5].b.pop_back(); })),
             "adapter, layer 1, k_proj: lora_A and lora_B do not fit the model");
    QCOMPARE(refusal(adapted([](Modules& modules) { modules[0].layer = -1; })),
             "adapter, layer -1, q_proj: the model has 3 layers");
    QCOMPARE(refusal(adapted([](Modules& modules) { modules.push_back(modules[3]); })),
             "adapter, layer 0, o_proj: is there twice");
    QCOMPARE(refusal(adapted([](Modules& modules) { modules[2].scale = INFINITY; })),
             "adapter, layer 0, v_proj: r must be above 0 and the scale finite");
    QCOMPARE(refusal(adapted([](Modules& modules) { modules[2].a[7] = NAN; })),
             "adapter, layer 0, v_proj: has entries that are not finite");
}

QTEST_GUILESS_MAIN(TestIntervention)
#include "tst_intervention.moc"
