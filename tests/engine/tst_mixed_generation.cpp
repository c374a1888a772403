// Prompts with different interventions in one call of generate(): each gets the completion that it gets
// alone, whatever decodes beside it.

#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "core/generate/generator.h"
#include "core/io/checkpoint.h"
#include "core/model/packed_lm.h"
#include "tests/support/interventions.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;

namespace {

constexpr int32_t kInterventions = 4;
using Completions = std::map<size_t, std::vector<int32_t>>;

/// Prompt i has the ids of prompt i / 5, and interventions none, 0, 1, 2, 3 in turns.
std::vector<GenerationPrompt> mixedPrompts() {
    std::vector<GenerationPrompt> prompts;
    for (size_t i = 0; i < 30; ++i) {
        GenerationPrompt prompt = {i, {}, 77, static_cast<int32_t>(i % 5) - 1};
        for (size_t t = 0; t < 3 + i / 5 * 2; ++t)
            prompt.ids.push_back(static_cast<int32_t>((7 + 13 * t + 31 * (i / 5)) % 128));
        prompts.push_back(prompt);
    }
    return prompts;
}

/// A projection, an adapter, both, and a projection of new tokens at another site.
std::vector<Intervention> someInterventions(const ModelConfig& config) {
    std::vector<Intervention> interventions(kInterventions);
    interventions[0].projection = test::randomProjection(config, {.rank = 3, .seed = 2});
    interventions[1].adapter = test::randomAdapter(config, 50);
    interventions[2] = {test::randomProjection(config, {.layers = {1}, .rank = 2, .seed = 3}),
                        test::randomAdapter(config, 60)};
    interventions[3].projection = test::randomProjection(config, {.layers = {0, 1, 2},
                                                                  .rank = 2,
                                                                  .site = KvSite::post_rope,
                                                                  .when = ProjectWhen::decode_only,
                                                                  .apply = ProjectApply::activation,
                                                                  .seed = 4});
    return interventions;
}

}  // namespace

class TestMixedGeneration : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mixingChangesNoCompletion_data();
    void mixingChangesNoCompletion();

private:
    const QTemporaryDir folder_;
    ThreadPool pool_{2};
};

void TestMixedGeneration::mixingChangesNoCompletion_data() {
    QTest::addColumn<int>("family");
    QTest::addColumn<bool>("greedy");
    QTest::newRow("qwen2, greedy") << static_cast<int>(ModelFamily::qwen2) << true;
    QTest::newRow("qwen3, sampled") << static_cast<int>(ModelFamily::qwen3) << false;
    QTest::newRow("llama, sampled") << static_cast<int>(ModelFamily::llama) << false;
}

void TestMixedGeneration::mixingChangesNoCompletion() {
    QFETCH(int, family);
    QFETCH(bool, greedy);
    const std::filesystem::path path = folder_.path().toStdString();
    test::writeTinyCheckpoint(path, test::tinyConfig(static_cast<ModelFamily>(family)), 11);
    std::ofstream(path / "tokenizer.json") << test::smallTokenizer().dump();
    const Checkpoint checkpoint = Checkpoint::open(path);
    const Tokenizer tokenizer = Tokenizer::open(path);
    const std::vector<Intervention> interventions = someInterventions(checkpoint.config());
    const std::vector<GenerationPrompt> prompts = mixedPrompts();
    for (const DType dtype : {DType::float32, DType::bfloat16}) {
        PackedLm model = PackedLm::load(checkpoint, dtype, pool_, detectIsa(), {});
        const PackedInterventions prepared = model.prepare(interventions, {});
        const auto complete = [&](std::vector<GenerationPrompt> some, const PackedInterventions& with,
                                  int batch) {
            GenerationSettings settings;
            settings.max_new_tokens = 12;
            settings.batch = batch;
            settings.sampling.greedy = greedy;
            Completions completions;
            generate(model, with, tokenizer, pool_, std::move(some), settings, {},
                     [&](Completion&& completion) { completions[completion.index] = completion.ids; });
            return completions;
        };
        const Completions together = complete(prompts, prepared, 7);
        QCOMPARE(together.size(), prompts.size());
        for (const GenerationPrompt& prompt : prompts) {
            GenerationPrompt alone = prompt;
            QCOMPARE(complete({alone}, prepared, 1),
                     (Completions{{prompt.index, together.at(prompt.index)}}));
            if (prompt.intervention < 0) {  // as where nobody has prepared anything
                QCOMPARE(complete({alone}, PackedInterventions(), 1).at(prompt.index),
                         together.at(prompt.index));
                continue;
            }
            // The intervention by itself, not as one of a list.
            const auto index = static_cast<size_t>(prompt.intervention);
            alone.intervention = 0;
            QCOMPARE(complete({alone}, model.prepare({&interventions[index], 1}, {}), 1).at(prompt.index),
                     together.at(prompt.index));
        }
        std::set<std::vector<int32_t>> different;
        for (const auto& [index, ids] : together)
            different.insert(ids);
        QVERIFY(different.size() >= 25);  // interventions that change nothing would prove nothing
    }
    std::printf(
        "measured: %s: %zu completions with %d interventions and none in one batch equal those alone\n",
        QTest::currentDataTag(), prompts.size(), kInterventions);
}

QTEST_GUILESS_MAIN(TestMixedGeneration)
#include "tst_mixed_generation.moc"
