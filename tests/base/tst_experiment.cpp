// Experiment files: defaults, every kind of mistake at its line, sweeps, and the resolved file.

#include <QtTest>
#include <iostream>

#include "core/config/experiment.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;

namespace {

/// A file that is right, with more lines behind it (line 5 and on).
std::string withLines(const std::string& more) {
    return "name = \"a\"\nmethods = [\"spd\"]\n[model]\npath = \"m\"\n" + more;
}

std::vector<std::string> linesOf(const std::string& text) {
    try {
        parseExperiment(text, "e.toml");
    } catch (const Error& error) {
        return error.details().empty() ? std::vector<std::string>{error.what()} : error.details();
    }
    return {};
}

}  // namespace

class TestExperiment : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void hasDefaults();
    void readsEverySetting();
    void refuses_data();
    void refuses();
    void tellsEveryProblem();
    void takesABenchmarkOnceForEachRun();
    void knowsItsLines();
    void multipliesTheSweep();
    void refusesHostileTexts();
    void saysWhatIsNotThere();
};

void TestExperiment::hasDefaults() {
    const ExperimentFile file = parseExperiment("name = \"a\"\n[model]\npath = \"m\"\n", "e.toml");
    QCOMPARE(file.points.size(), size_t{1});
    const Experiment& e = file.points[0].experiment;
    QCOMPARE(e.methods, (std::vector<Method>{Method::base, Method::spd}));
    QCOMPARE(e.seed, 42);
    QCOMPARE(e.training.lr, 1e-5);
    QCOMPARE(e.projection.rank_rule, std::string("half_dim"));
    QVERIFY(e.corpus.filter == "none" && e.corpus.ssd_filter.empty());
    QVERIFY(e.evaluate.empty() && file.points[0].label.empty());
}

/// Every setting changed, written out and read back: nothing is lost, nothing is read under another name.
void TestExperiment::readsEverySetting() {
    Experiment e = parseExperiment(withLines(""), "e.toml").points[0].experiment;
    e.methods = {Method::psr, Method::ssd, Method::spd};
    e.seed = 7;
    e.model = {"org/\"quoted\" \u00e9", "float32"};
    e.task = {"code", "my.jsonl", 10, 20, true};
    e.calibration = {"bfloat16", "full_sequence", "post_rope", "1,3", true};
    e.projection = {"3",           "energy:0.9", "k", -0.1, "random:18446744073709551615",
                    "decode_only", "activation", true};
    e.generation = {true, 0.7, 5, 0.9, 0.05, 1.1, 33, 4, true, 1.5, 21, 0.75};
    e.corpus = {"apple", "mlx"};
    e.training = {2, 2e-4, 4, 16, 0, 3, 0.5, "completion_only", "full", 9};
    e.evaluate = {{"gsm8k", 20, "chat", 64, "generating", "math"}, {"mmlu", 0, "paper", 0, "trained", ""}};
    const std::string text = resolvedToml(e);
    const Experiment back = parseExperiment(text, "e.toml").points[0].experiment;
    QCOMPARE(resolvedToml(back), text);
    QCOMPARE(settingsOf(back), settingsOf(e));
    QCOMPARE(back.methods, e.methods);
    QCOMPARE(back.projection.strength, -0.1);
    QCOMPARE(back.evaluate.size(), size_t{2});
    size_t changed = 0;
    const auto plain = settingsOf(parseExperiment(withLines(""), "e.toml").points[0].experiment);
    for (const auto& [key, value] : settingsOf(back)) {
        const auto same = std::find(plain.begin(), plain.end(), std::pair(key, value));
        if (same != plain.end())
            QVERIFY2(key == "name", key.c_str());
        ++changed;
    }
    std::cout << "measured: settings read back " << changed << "\n";
}

void TestExperiment::refuses_data() {
    QTest::addColumn<QString>("more");
    QTest::addColumn<QString>("message");
    const auto row = [](const char* name, const char* more, const char* message) {
        QTest::newRow(name) << more << message;
    };
    row("unknown key", "[training]\nlearning_rate = 1.0\n", "line 6: training.learning_rate is no setting");
    row("unknown section", "[optimizer]\nlr = 1.0\n", "line 5: optimizer is no setting");
    row("unknown in evaluate", "[[evaluate]]\ntask = \"gsm8k\"\nshots = 5\n",
        "line 7: evaluate.shots is no setting");
    row("text for number", "[training]\nlr = \"1e-5\"\n", "line 6: training.lr must be a number");
    row("fraction for whole", "[training]\nepochs = 1.5\n", "line 6: training.epochs must be a whole number");
    row("negative", "[training]\nlr = -1.0\n", "line 6: training.lr must be above 0");
    row("zero", "[generation]\ntemperature = 0\n", "line 6: generation.temperature must be above 0");
    row("not finite", "[projection]\nstrength = nan\n",
        "line 6: projection.strength must be a finite number");
    row("infinite", "[training]\nlr = inf\n", "line 6: training.lr must be above 0");
    row("too large", "[generation]\ntop_p = 1.5\n", "line 6: generation.top_p must be from 0 to 1");
    row("word", "[task]\nname = \"maths\"\n", "line 6: task.name must be one of \"math\", \"code\", \"qa\"");
    row("filter", "[corpus]\nfilter = \"short\"\n",
        "line 6: corpus.filter must be one of \"none\", \"ssd\", \"apple\", \"trl\", \"mlx\"");
    row("several filters", "[corpus]\nfilter = [\"ssd\"]\n", "line 6: corpus.filter must be a text");
    row("filter of ssd", "[corpus]\nssd_filter = \"spd\"\n", "line 6: corpus.ssd_filter must be one of");
    row("sweep of a bad filter", "[sweep]\n\"corpus.filter\" = [\"ssd\", \"no\"]\n",
        "line 6: sweep: corpus.filter must be one of");
    row("boolean", "[task]\ndisjoint = 1\n", "line 6: task.disjoint must be true or false");
    row("layers", "[calibration]\nlayers = \"3,1\"\n", "line 6: calibration.layers must be \"last_mid\"");
    row("layers twice", "[calibration]\nlayers = [1, 1]\n",
        "line 6: calibration.layers must be \"last_mid\"");
    row("rank 0", "[projection]\nrank_rule = 0\n", "line 6: projection.rank_rule must be \"half_dim\"");
    row("energy", "[projection]\nrank_rule = \"energy:1.5\"\n", "line 6: projection.rank_rule must be");
    row("control", "[projection]\ncontrol = \"random:x\"\n", "line 6: projection.control must be");
    row("section as value", "[task]\n[[training]]\n", "line 6: training must be a section: [training]");
    row("evaluate as table", "[evaluate]\ntask = \"gsm8k\"\n",
        "line 5: evaluate must be written [[evaluate]]");
    row("evaluate without task", "[[evaluate]]\nlimit = 2\n", "evaluate.task is missing");
    row("evaluate twice",
        "[[evaluate]]\ntask = \"gsm8k\"\n[[evaluate]]\ntask = \"svamp\"\n[[evaluate]]\ntask = "
        "\"gsm8k\"\nlimit = 5\n",
        "line 9: evaluate: gsm8k (policy \"trained\") is there twice for the same runs");
    row("evaluate twice in a domain",
        "[[evaluate]]\ntask = \"gsm8k\"\ndomain = \"qa\"\n[[evaluate]]\ntask = \"gsm8k\"\n",
        "line 8: evaluate: gsm8k (policy \"trained\") is there twice for the same runs");
    row("syntax", "[task\nname = 1\n", "line 5: ");
    row("twice", "[task]\nname = \"math\"\nname = \"qa\"\n", "line 7: ");
    row("not among measured", "[calibration]\nlayers = \"1,2\"\n[projection]\nlayers = \"3\"\n",
        "line 8: projection.layers must be among calibration.layers");
    row("folded elsewhere", "[calibration]\nsite = \"post_rope\"\n[projection]\napply = \"folded\"\n",
        "line 8: projection.apply = \"folded\" needs calibration.site");
    row("sweep of nothing", "[sweep]\n\"training.lr\" = []\n",
        "line 6: sweep: training.lr must be a list of values");
    row("sweep of unknown", "[sweep]\n\"training.rate\" = [1]\n",
        "line 6: sweep: training.rate is no setting");
    row("sweep of a bad value", "[sweep]\n\"training.lr\" = [1.0, 0]\n",
        "line 6: sweep: training.lr must be above 0");
    row("sweep into a contradiction",
        "[calibration]\nlayers = \"1\"\n[projection]\nlayers = \"1\"\n[sweep]\n\"calibration.layers\" = "
        "[\"all\", \"2\"]\n",
        "line 8: projection.layers must be among calibration.layers");
}

void TestExperiment::refuses() {
    QFETCH(QString, more);
    QFETCH(QString, message);
    const auto refusal = refusalOf([&] { parseExperiment(withLines(more.toStdString()), "e.toml"); });
    QVERIFY(refusal.has_value());
    QVERIFY(refusal->kind == ErrorKind::invalid_argument && refusal->isOneLine());
    QVERIFY2(refusal->says("e.toml: ") && refusal->says(message.toStdString()), refusal->message.c_str());
}

void TestExperiment::tellsEveryProblem() {
    const std::vector<std::string> lines = linesOf(
        "methods = [\"spd\", \"spd\"]\n[model]\ndtype = \"int8\"\n[training]\nlr = 0\nfoo = "
        "1\n[[evaluate]]\ntask = 3\n");
    QCOMPARE(lines.size(), size_t{7});
    QVERIFY(lines[0].find("line 1: methods must be") != std::string::npos ||
            lines[0].find("line 1: model.path is missing") != std::string::npos);
    QVERIFY(lines[6].find("line 8: evaluate.task must be a text") != std::string::npos);
    QVERIFY(linesOf("methods = [\"base\"]\nname = \"a\"\n[model]\npath = \"m\"\n")
                .front()
                .find("nothing to do") != std::string::npos);
}

/// Other policies and other domains have results of their own.
void TestExperiment::takesABenchmarkOnceForEachRun() {
    const std::string task = "[[evaluate]]\ntask = \"gsm8k\"\n";
    QCOMPARE(linesOf(withLines(task + task + "policy = \"generating\"\n")), std::vector<std::string>{});
    QCOMPARE(linesOf(withLines(task + "domain = \"qa\"\n" + task + "domain = \"math\"\n")),
             std::vector<std::string>{});
}

void TestExperiment::knowsItsLines() {
    const ExperimentFile file = parseExperiment(
        withLines("[projection]\nstrength = 1\nlayers = \"1\"\n[sweep]\n\"projection.strength\" = [1]\n"),
        "e");
    const auto said = [&](const char* key) {
        return std::string(refusalAt(file, key, ErrorKind::not_found, "no").what());
    };
    QCOMPARE(said("model.path"), std::string("e: line 4: no"));
    QCOMPARE(said("projection.layers"), std::string("e: line 7: no"));
    QCOMPARE(said("projection.strength"), std::string("e: line 9: no"));  // what is swept is told by the list
    QCOMPARE(said("training.lr"), std::string("e: line 1: no"));
}

void TestExperiment::multipliesTheSweep() {
    const ExperimentFile file =
        parseExperiment(withLines("[sweep]\n\"projection.rank_rule\" = [\"half_dim\", \"energy:0.9\", "
                                  "16]\n\"task.n_calibration\" = [20, 50]\n"),
                        "e.toml");
    QCOMPARE(file.points.size(), size_t{6});
    QCOMPARE(file.points[0].label, std::string("rank_rule=half_dim,n_calibration=20"));
    QCOMPARE(file.points[1].label, std::string("rank_rule=half_dim,n_calibration=50"));
    QCOMPARE(file.points[5].label, std::string("rank_rule=16,n_calibration=50"));
    QCOMPARE(file.points[5].experiment.projection.rank_rule, std::string("16"));
    QCOMPARE(file.points[3].experiment.task.n_calibration, 50);
    QCOMPARE(file.points[2].values,
             (std::vector<std::pair<std::string, std::string>>{{"projection.rank_rule", "energy:0.9"},
                                                               {"task.n_calibration", "20"}}));
    const ExperimentFile back = parseExperiment(file.resolved, "e.toml");
    QCOMPARE(back.resolved, file.resolved);
    QCOMPARE(back.points.size(), file.points.size());
    for (size_t i = 0; i < file.points.size(); ++i) {
        QCOMPARE(back.points[i].label, file.points[i].label);
        QCOMPARE(settingsOf(back.points[i].experiment), settingsOf(file.points[i].experiment));
    }
}

void TestExperiment::refusesHostileTexts() {
    std::string many = "[sweep]\n";
    for (const char* key : {"training.lr", "training.alpha", "training.weight_decay"}) {
        many += "\"" + std::string(key) + "\" = [";
        for (int i = 1; i <= 30; ++i)
            many += std::to_string(i) + ",";
        many += "]\n";
    }
    QVERIFY(linesOf(withLines(many)).front().find("more than 10000 points") != std::string::npos);
    for (const std::string& text :
         {std::string(100'000, '['), "x = " + std::string(100'000, '['), std::string("\xff\xfe\n"),
          std::string("a\0b = 1", 7), std::string("name = \"\x1b[31m\"\n"), std::string(3, '\0')}) {
        const auto refusal = refusalOf([&] { parseExperiment(text, "e.toml"); });
        QVERIFY(refusal && refusal->kind == ErrorKind::invalid_argument && refusal->isOneLine());
        QVERIFY(refusal->seconds < most_seconds);
    }
}

void TestExperiment::saysWhatIsNotThere() {
    const auto refusal = refusalOf([] { readExperiment("/nowhere/e.toml"); });
    QVERIFY(refusal && refusal->kind == ErrorKind::not_found && refusal->says("/nowhere/e.toml"));
    const auto folder = refusalOf([] { readExperiment("/tmp"); });
    QVERIFY(folder && folder->kind == ErrorKind::invalid_argument);
}

QTEST_GUILESS_MAIN(TestExperiment)
#include "tst_experiment.moc"
