// From an experiment file to its runs, what they will take, and how a finished stage is known again.

#include <QTemporaryDir>
#include <QtTest>
#include <cmath>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/experiment/finished_stage.h"
#include "core/experiment/forecast/forecast.h"
#include "core/experiment/forecast/known_models.h"
#include "core/experiment/projection_checks.h"
#include "core/experiment/run_plan.h"
#include "core/experiment/stage_inputs.h"
#include "core/io/memory_forecast.h"

using namespace spd;
namespace fs = std::filesystem;

namespace {

std::vector<PlannedRun> runsOf(const std::string& text) {
    return planRuns(parseExperiment("name = \"a\"\n" + text, "e.toml"));
}

std::vector<std::string> namesOf(const std::vector<PlannedRun>& runs) {
    std::vector<std::string> names;
    for (const PlannedRun& run : runs)
        names.push_back(run.name);
    return names;
}

const std::string model = "[model]\npath = \"org/m\"\n";

}  // namespace

class TestRunPlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void makesARunForEachMethod();
    void makesNoRunTwice();
    void filtersWithoutGeneratingAnew();
    void evaluatesWhatTheDomainAsksFor();
    void namesFoldersPlainly();
    void knowsTheRanksOfAFile();
    void checksTheProjection();
    void knowsTheBackbones_data();
    void knowsTheBackbones();
    void forecastsByItsFormulas();
    void findsAFinishedStage();
    void doubtsWhatWasTouched();
};

void TestRunPlan::makesARunForEachMethod() {
    const auto runs = runsOf("methods = [\"base\", \"psr\", \"ssd\", \"spd\"]\nseed = 7\n" + model +
                             "[[evaluate]]\ntask = \"gsm8k\"\n");
    QCOMPARE(namesOf(runs), (std::vector<std::string>{"base-s7", "psr-s7", "ssd-s7", "spd-s7"}));
    QVERIFY(!runs[0].needsTraining() && !runs[0].needsSubspace());
    QVERIFY(runs[1].needsTraining() && !runs[1].needsSubspace());
    QVERIFY(runs[3].needsTraining() && runs[3].needsSubspace());
    const auto quality =
        runsOf("methods = [\"spd\"]\n" + model + "[[evaluate]]\ntask = \"gsm8k\"\npolicy = \"generating\"\n");
    QVERIFY(quality[0].needsSubspace() && !quality[0].needsTraining());
}

/// A point of the sweep makes a run only for the methods that it changes.
void TestRunPlan::makesNoRunTwice() {
    const std::string methods =
        "methods = [\"base\", \"psr\", \"ssd\", \"spd\"]\n" + model + "[[evaluate]]\ntask = \"gsm8k\"\n";
    const auto ranks =
        runsOf(methods + "[sweep]\n\"projection.rank_rule\" = [4, 8]\n\"task.n_calibration\" = [20, 50]\n");
    QCOMPARE(namesOf(ranks),
             (std::vector<std::string>{
                 "base-s42", "psr-s42", "ssd-s42", "spd-s42-rank_rule=4,n_calibration=20",
                 "spd-s42-rank_rule=4,n_calibration=50", "spd-s42-rank_rule=8,n_calibration=20",
                 "spd-s42-rank_rule=8,n_calibration=50"}));
    // Which prompts are trained on depends on the calibration set only where the two are kept apart.
    const std::string task = "methods = [\"psr\"]\n" + model + "[task]\ndisjoint = ";
    const std::string sweep = "\n[sweep]\n\"task.n_calibration\" = [20, 50]\n";
    QCOMPARE(runsOf(task + "true" + sweep).size(), size_t{2});
    QCOMPARE(runsOf(task + "false" + sweep).size(), size_t{1});
    const auto temperatures = runsOf(methods + "[sweep]\n\"generation.temperature\" = [1.0, 1.5]\n");
    QCOMPARE(temperatures.size(), size_t{1 + 2 + 1 + 2});
    QCOMPARE(runsOf(methods + "[sweep]\nseed = [1, 2]\n").size(), size_t{8});
    QCOMPARE(runsOf(methods +
                    "[sweep]\n\"generation.batch\" = [1, 2]\n\"training.recompute\" = [\"off\", \"full\"]\n")
                 .size(),
             size_t{4});
}

/// Another filter trains anew and uses the same completions; ssd may have its own, base has none.
void TestRunPlan::filtersWithoutGeneratingAnew() {
    const std::string methods =
        "methods = [\"base\", \"psr\", \"ssd\"]\n" + model + "[[evaluate]]\ntask = \"gsm8k\"\n";
    const std::string sweep = "[sweep]\n\"corpus.filter\" = [\"none\", \"mlx\"]\n";
    const auto runs = runsOf(methods + sweep);
    QCOMPARE(namesOf(runs),
             (std::vector<std::string>{"base-s42", "psr-s42-filter=none", "ssd-s42-filter=none",
                                       "psr-s42-filter=mlx", "ssd-s42-filter=mlx"}));
    QCOMPARE(generateInputs({}, runs[1], {}, "").dump(), generateInputs({}, runs[3], {}, "").dump());
    QVERIFY(trainInputs({}, runs[1], "0") != trainInputs({}, runs[3], "0"));
    const auto own = runsOf(methods + "[corpus]\nssd_filter = \"ssd\"\n" + sweep);
    QCOMPARE(namesOf(own),
             (std::vector<std::string>{"base-s42", "psr-s42-filter=none", "ssd-s42", "psr-s42-filter=mlx"}));
    QVERIFY(corpusFilterOf(own[2]) == CorpusFilter::ssd && corpusFilterOf(own[3]) == CorpusFilter::mlx);
    QVERIFY(corpusFilterOf(own[1]) == CorpusFilter::none);
}

/// A table of benchmarks by domain: each task is evaluated on its own ones.
void TestRunPlan::evaluatesWhatTheDomainAsksFor() {
    const auto runs =
        runsOf("methods = [\"base\", \"spd\"]\n" + model +
               "[[evaluate]]\ntask = \"gsm8k\"\ndomain = \"math\"\n[[evaluate]]\ntask = \"mmlu\"\ndomain = "
               "\"qa\"\n[[evaluate]]\ntask = \"bbh\"\n[sweep]\n\"task.name\" = [\"math\", \"qa\"]\n");
    QCOMPARE(namesOf(runs), (std::vector<std::string>{"base-s42-name=math", "spd-s42-name=math",
                                                      "base-s42-name=qa", "spd-s42-name=qa"}));
    QCOMPARE(runs[1].experiment.evaluate.size(), size_t{2});
    QCOMPARE(runs[1].experiment.evaluate[0].task, std::string("gsm8k"));
    QCOMPARE(runs[3].experiment.evaluate[0].task, std::string("mmlu"));
    QCOMPARE(runs[3].experiment.evaluate[1].task, std::string("bbh"));
}

void TestRunPlan::namesFoldersPlainly() {
    const auto runs =
        runsOf("methods = [\"psr\"]\n" + model + "[sweep]\n\"model.path\" = [\"a/b\", \"a b\", \"a:b\"]\n");
    std::set<std::string> names;
    for (const PlannedRun& run : runs) {
        QVERIFY(run.name.find_first_of("/ :") == std::string::npos);
        names.insert(run.name);
    }
    QCOMPARE(names.size(), size_t{3});
    QCOMPARE(plainName(".."), std::string("-."));
    QCOMPARE(plainName("\u00e9\n"), std::string("---"));
    QCOMPARE(plainName(std::string(300, 'x')).size(), size_t{100});
    QVERIFY(plainName(std::string(300, 'x')) != plainName(std::string(301, 'x')));
}

/// The content of a rank file is an input of what it projects, and a part of what the experiment is.
void TestRunPlan::knowsTheRanksOfAFile() {
    QTemporaryDir temporary;
    const fs::path ranks = fs::path(temporary.path().toStdString()) / "ranks.json";
    const ExperimentFile file =
        parseExperiment("name = \"a\"\nmethods = [\"psr\", \"spd\"]\n" + model +
                            "[projection]\nrank_rule = \"file:" + ranks.string() + "\"\n",
                        "e.toml");
    const auto inputs = [](const PlannedRun& run, const char* subspace) {
        return generateInputs({}, run, {}, subspace);
    };
    QCOMPARE(planRuns(file)[1].ranks_sha256, std::string());  // it is not there yet
    std::ofstream(ranks) << R"({"1.k": 2})";
    const auto before = planRuns(file);
    std::ofstream(ranks) << R"({"1.k": 3})";
    const auto after = planRuns(file);
    QCOMPARE(after[1].ranks_sha256, sha256Hex(R"({"1.k": 3})"));
    QVERIFY(inputs(before[1], "ab") != inputs(after[1], "ab"));
    QVERIFY(inputs(before[0], "") == inputs(after[0], "") && before[0].settings == after[0].settings);
    QVERIFY(before[1].settings != after[1].settings);
    QVERIFY(identityOf(file, before) != identityOf(file, after));
    const ExperimentFile back = parseExperiment(identityOf(file, after), "e.toml");
    QCOMPARE(back.resolved, file.resolved);
    QCOMPARE(identityOf(back, planRuns(back)), identityOf(file, after));
}

/// Twelve layers of K and V 64 wide: what can be told of layers and ranks before anything is measured.
void TestRunPlan::checksTheProjection() {
    QTemporaryDir temporary;
    const fs::path ranks = fs::path(temporary.path().toStdString()) / "ranks.json";
    ModelConfig config;
    config.num_hidden_layers = 12;
    config.num_key_value_heads = 4;
    config.head_dim = 16;
    const auto said = [&](const std::string& projection, const std::string& calibration = "") {
        const ExperimentFile file =
            parseExperiment("name = \"a\"\nmethods = [\"spd\"]\n" + model + "[projection]\n" + projection +
                                "\n[calibration]\n" + calibration,
                            "e.toml");
        try {
            checkProjection(file, planRuns(file)[0], config);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const auto says = [&](const std::string& projection, const std::string& calibration, const char* text) {
        const std::string found = said(projection, calibration);
        if (found.find(text) == std::string::npos)
            qWarning("%s", found.c_str());
        return found.find(text) != std::string::npos;
    };
    for (const char* good : {"layers = \"5\"", "layers = \"last_mid\"", "rank_rule = 64", ""})
        QCOMPARE(said(good), std::string());
    QCOMPARE(said("layers = \"last_mid\"", "layers = \"5,7,11\""), std::string());
    QVERIFY(says("layers = \"5,7\"", "",
                 "e.toml: line 6: projection.layers: layer 7 is not measured: "
                 "calibration.layers = \"last_mid\" is 5, 11"));
    QVERIFY(says("layers = \"last_mid\"", "layers = \"3,11\"", "line 6: projection.layers: layer 5 is not"));
    QVERIFY(says("layers = \"12\"", "layers = \"all\"", "line 6: projection.layers: layers \"12\": must be"));
    QVERIFY(says("", "layers = \"3,12\"", "line 8: calibration.layers: layers \"3,12\": must be"));
    QVERIFY(says("rank_rule = 65", "", "line 6: projection.rank_rule: 5.k: rank rule 65 asks for rank 65"));
    QVERIFY(says("rank_rule = 17", "per_head = true", "it is 16 wide"));
    const std::string rule = "rank_rule = \"file:" + ranks.string() + "\"";
    QVERIFY(says(rule, "", "line 6: projection.rank_rule: "));
    std::ofstream(ranks) << R"({"5.k": 2, "5.v": 2, "11.k": 64})";
    QVERIFY(says(rule, "", "11.v: has no rank"));
    QCOMPARE(said(rule + "\nproject = \"k\""), std::string());
    std::ofstream(ranks) << R"({"5.k": 2, "5.v": 2, "11.k": 64, "11.v": 65})";
    QVERIFY(says(rule, "", "asks for rank 65, it is 64 wide"));
}

/// Numbers of parameters as the hub shows them.
void TestRunPlan::knowsTheBackbones_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<qint64>("parameters");
    QTest::newRow("0.5B") << "Qwen/Qwen2.5-0.5B-Instruct" << qint64{494'032'768};
    QTest::newRow("7B") << "Qwen/Qwen2.5-7B-Instruct" << qint64{7'615'616'512};
    QTest::newRow("14B") << "Qwen/Qwen2.5-14B-Instruct" << qint64{14'770'033'664};
    QTest::newRow("4B") << "Qwen/Qwen3-4B-Instruct-2507" << qint64{4'022'468'096};
    QTest::newRow("8B") << "meta-llama/Llama-3.1-8B-Instruct" << qint64{8'030'261'248};
}

void TestRunPlan::knowsTheBackbones() {
    QFETCH(QString, id);
    QFETCH(qint64, parameters);
    const auto shape = knownShape(id.toStdString());
    QVERIFY(shape.has_value());
    QCOMPARE(parameterCount(*shape), int64_t{parameters});
    QVERIFY(!knownShape("org/none").has_value());
}

void TestRunPlan::forecastsByItsFormulas() {
    const auto shape = knownShape("Qwen/Qwen2.5-0.5B-Instruct");
    DataSizes sizes;
    sizes.prompts = 20;
    sizes.prompt_tokens = 50;
    sizes.calibration_examples = 10;
    sizes.calibration_tokens = 100;
    sizes.longest_calibration_tokens = 200;
    sizes.questions = {30};
    sizes.question_tokens = {60};
    MachineRates rates{"test", 1e12, 1e11, 1e10};
    const std::string text =
        "methods = [\"spd\"]\n" + model +
        "[generation]\nmax_new_tokens = 150\n[training]\nepochs = 3\nbatch_size = 8\nrecompute = \"off\"\n"
        "[[evaluate]]\ntask = \"gsm8k\"\nmax_new_tokens = 40\n";
    const auto stages = forecastRun(runsOf(text)[0], *shape, sizes, rates);
    QCOMPARE(stages.size(), size_t{4});
    QCOMPARE(stages[0].stage, std::string("calibrate"));
    QCOMPARE(stages[0].tokens, 1000);
    QCOMPARE(stages[1].tokens, 20 * (50 + 150));
    QCOMPARE(stages[2].items, 3 * 3);
    QCOMPARE(stages[2].tokens, 3 * 20 * (50 + 150));
    QCOMPARE(stages[3].stage, std::string("evaluate gsm8k"));
    QCOMPARE(stages[3].tokens, 30 * (60 + 40));
    QVERIFY(std::abs(stages[2].seconds / (4 * 494'032'768.0 * 12'000 / 1e12) - 1) < 1e-12);
    // 24 layers, measured from the 12th up: half and one more get a gradient; the head is not in it.
    const double layers = 494'032'768.0 - 151'936.0 * 896;
    QVERIFY(std::abs(stages[0].seconds / (2 * 1000 * layers * (1 + 13.0 / 24) / 1e11) - 1) < 1e-12);
    // Eight slots read 988 MB of weights and their caches a step: at 10 GB/s the bandwidth decides.
    const double steps = 20 * 150 / 8.0;
    QVERIFY(stages[1].seconds > steps * 988e6 / 1e10 && stages[1].seconds < 1.2 * steps * 988e6 / 1e10);
    QVERIFY(stages[0].memory > 4 * 494'032'768 && stages[1].memory > 2 * 494'032'768);
    const std::string full = std::string(text).replace(text.find("\"off\""), 5, "\"full\"");
    QCOMPARE(forecastRun(runsOf(full)[0], *shape, sizes, rates)[2].seconds, 1.5 * stages[2].seconds);
}

void TestRunPlan::findsAFinishedStage() {
    QTemporaryDir temporary;
    const fs::path folder = temporary.path().toStdString();
    std::ofstream(folder / "out.bin") << "content";
    FinishedStage record;
    record.stage = "train";
    record.inputs = {{"lr", 1e-5}, {"corpus_sha256", "ab"}};
    record.outputs = {describeOutput(folder, "out.bin")};
    record.seconds = 2.5;
    record.summary = {{"loss", 1.25}};
    QCOMPARE(record.sha256Of("out.bin"), sha256Hex("content"));
    writeFinishedStage(folder / "train.json", record);
    const auto found = findFinishedStage(folder / "train.json", "train", record.inputs, folder);
    QVERIFY(found.has_value());
    QCOMPARE(found->inputsSha256(), record.inputsSha256());
    QCOMPARE(found->summary, record.summary);
    QCOMPARE(found->seconds, 2.5);
    QVERIFY(!findFinishedStage(folder / "none.json", "train", record.inputs, folder));
}

void TestRunPlan::doubtsWhatWasTouched() {
    QTemporaryDir temporary;
    const fs::path folder = temporary.path().toStdString();
    const fs::path file = folder / "train.json";
    FinishedStage record;
    record.stage = "train";
    record.inputs = {{"lr", 1e-5}};
    const auto isFound = [&] { return findFinishedStage(file, "train", record.inputs, folder).has_value(); };
    std::ofstream(folder / "out.bin") << "content";
    record.outputs = {describeOutput(folder, "out.bin")};
    writeFinishedStage(file, record);
    QVERIFY(isFound());
    QVERIFY(!findFinishedStage(file, "train", {{"lr", 2e-5}}, folder));
    QVERIFY(!findFinishedStage(file, "generate", record.inputs, folder));
    std::ofstream(folder / "out.bin") << "conteNt";
    QVERIFY(!isFound());
    std::ofstream(folder / "out.bin") << "conten";
    QVERIFY(!isFound());
    fs::remove(folder / "out.bin");
    QVERIFY(!isFound());
    for (const char* damaged : {"", "{}", "[1]", "{\"stage\":\"train\"}", "no JSON"}) {
        std::ofstream(file) << damaged;
        QVERIFY(!isFound());
    }
}

QTEST_GUILESS_MAIN(TestRunPlan)
#include "tst_run_plan.moc"
