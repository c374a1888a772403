// Layers, ranks, controls: what a projection keeps, what is clipped and what is refused.

#include <QTest>
#include <cmath>
#include <cstdio>

#include "core/subspace/projection.h"
#include "core/subspace/selection/random_basis.h"
#include "core/subspace/spectrum.h"
#include "tests/support/refusal.h"
#include "tests/support/subspaces.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using Matrix = Eigen::MatrixXd;
using Ranks = std::vector<int64_t>;

namespace {

const std::string some_sha256(64, 'c');

Matrix mapOf(const Subspace& subspace, const ProjectionSettings& settings,
             const KvTarget& target = {1, KvStream::k}) {
    return selectProjection(subspace, some_sha256, settings).maps.at(target).map;
}

Ranks ranksOf(const Subspace& subspace, const std::string& rule, const KvTarget& target = {1, KvStream::k}) {
    return selectProjection(subspace, some_sha256, {.rank_rule = rule}).maps.at(target).ranks;
}

std::optional<test::Refusal> refusalOf(const Subspace& subspace, const ProjectionSettings& settings) {
    return test::refusalOf([&] { selectProjection(subspace, some_sha256, settings); });
}

std::vector<KvTarget> targetsOf(const Projection& projection) {
    std::vector<KvTarget> targets;
    for (const auto& entry : projection.maps)
        targets.push_back(entry.first);
    return targets;
}

double largest(const Matrix& matrix) {
    return matrix.cwiseAbs().maxCoeff();
}

}  // namespace

class TestProjection : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void layersByName();
    void keepsTheFirstVectors();
    void controlsAndStrength();
    void headsHaveTheirOwnBlocks();
    void rankRules();
    void ranksOfAFile();
    void ranksOfAList();
    void clipsToTheNumericRank();
    void fixedRanksAboveTheNumericRank();
    void whatIsProjected();
    void whatIsFolded();
    void randomControl();
    void randomSubspacesAreUniform();
    void recordTellsProjectionsApart();
    void refusals_data();
    void refusals();
};

void TestProjection::layersByName() {
    using Layers = std::vector<int64_t>;
    QCOMPARE(parseLayers("last_mid", 24), (Layers{11, 23}));
    QCOMPARE(parseLayers("last_mid", 3), (Layers{0, 2}));
    QCOMPARE(parseLayers("last_mid", 2), (Layers{0, 1}));
    QCOMPARE(parseLayers("last_mid", 1), (Layers{0}));
    QCOMPARE(parseLayers("all", 3), (Layers{0, 1, 2}));
    QCOMPARE(parseLayers("0,2,11", 12), (Layers{0, 2, 11}));
    for (const char* text :
         {"", "1,1", "2,1", "12", "-1", "1,", ",1", "1 ,2", "0x1", "last", "1.0", "99999999999999999999"}) {
        const auto refusal = test::refusalOf([&] { parseLayers(text, 12); });
        QVERIFY2(refusal && refusal->kind == ErrorKind::invalid_argument && refusal->isOneLine(), text);
    }
}

void TestProjection::keepsTheFirstVectors() {
    const Subspace subspace = test::randomSubspace({});
    const Matrix map = mapOf(subspace, {.rank_rule = "5"});
    const Matrix& v = subspace.targets.at({1, KvStream::k}).heads[0].right_singular_vectors;
    QVERIFY(largest(v.topRows(5) * map - v.topRows(5)) < 1e-13);
    QVERIFY(largest(v.bottomRows(7) * map) < 1e-13);
    QVERIFY(map == map.transpose());
}

void TestProjection::controlsAndStrength() {
    const Subspace subspace = test::randomSubspace({});
    const Matrix identity = Matrix::Identity(12, 12);
    const Matrix kept = mapOf(subspace, {.rank_rule = "4"});
    const Matrix complement = mapOf(subspace, {.rank_rule = "4", .control = ProjectControl::complement});
    QVERIFY(largest(kept + complement - identity) < 1e-14);
    QVERIFY(largest(kept * complement) < 1e-14);
    QVERIFY(largest(mapOf(subspace, {.rank_rule = "12"}) - identity) < 1e-13);
    QVERIFY(mapOf(subspace, {.rank_rule = "4", .strength = 0}) == identity);
    QVERIFY(largest(mapOf(subspace, {.rank_rule = "4", .strength = 0.25}) - (0.75 * identity + 0.25 * kept)) <
            1e-14);
    const Matrix reflection = mapOf(subspace, {.rank_rule = "4", .strength = 2});
    QVERIFY(largest(reflection * reflection - identity) < 1e-13);
}

void TestProjection::headsHaveTheirOwnBlocks() {
    const Subspace subspace = test::randomSubspace({.per_head = true});
    const Projection projection = selectProjection(subspace, some_sha256, {});
    const ProjectionMap& map = projection.maps.at({3, KvStream::v});
    QCOMPARE(map.ranks, (Ranks{3, 3}));
    QCOMPARE(map.map.rows(), 12);
    QCOMPARE(largest(map.map.topRightCorner(6, 6)), 0.0);
    QCOMPARE(largest(map.map.bottomLeftCorner(6, 6)), 0.0);
    for (const Eigen::Index head : {0, 1}) {
        const Spectrum& spectrum = subspace.targets.at({3, KvStream::v}).heads[static_cast<size_t>(head)];
        const Matrix v = spectrum.right_singular_vectors.topRows(3);
        QVERIFY(largest(map.map.block(6 * head, 6 * head, 6, 6) - v.transpose() * v) < 1e-14);
    }
}

void TestProjection::rankRules() {
    Subspace subspace = test::randomSubspace({.numeric_rank = 7});
    QCOMPARE(ranksOf(subspace, ""), (Ranks{6}));
    QCOMPARE(ranksOf(subspace, "half_dim"), (Ranks{6}));
    QCOMPARE(ranksOf(subspace, "half_numeric"), (Ranks{3}));
    QCOMPARE(ranksOf(subspace, "2"), (Ranks{2}));
    Spectrum& spectrum = subspace.targets.at({1, KvStream::k}).heads[0];
    spectrum.singular_values.setZero();
    spectrum.singular_values.head(3) << 3, 2, 1;
    setRanks(spectrum);
    QCOMPARE(ranksOf(subspace, "energy:0.6"), (Ranks{1}));
    QCOMPARE(ranksOf(subspace, "energy:0.9"), (Ranks{2}));
    QCOMPARE(ranksOf(subspace, "energy:1"), (Ranks{3}));
    QCOMPARE(ranksOf(subspace, "half_numeric"), (Ranks{1}));
}

void TestProjection::ranksOfAFile() {
    const Subspace subspace = test::randomSubspace({});
    const test::TemporaryFolder folder;
    const auto rule = [&](const std::string& text) {
        return "file:" + folder.put("ranks.json", text).string();
    };
    const std::string good = rule(R"({"1.k": 2, "1.v": 12, "3.k": 1, "3.v": 5, "0.k": 9})");
    QCOMPARE(ranksOf(subspace, good), (Ranks{2}));
    QCOMPARE(ranksOf(subspace, good, {3, KvStream::v}), (Ranks{5}));
    for (const char* bad :
         {R"({"1.k": 2, "1.v": 12, "3.k": 1})", R"({"1.k": 0})", R"({"1.k": 2.5})", R"({"1.k": "2"})",
          R"({"1.k": [2]})", R"({"01.k": 2})", R"({"1.q": 2})", R"({"1": 2})", "[2]", "", "{"}) {
        const auto refusal = refusalOf(subspace, {.rank_rule = rule(bad)});
        QVERIFY2(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine(), bad);
        QVERIFY(refusal->says("ranks.json"));
    }
    const auto too_large =
        refusalOf(subspace, {.rank_rule = rule(R"({"1.k": 13, "1.v": 12, "3.k": 1, "3.v": 5})")});
    QVERIFY(too_large && too_large->says("1.k") && too_large->says("12 wide"));
    const auto absent = refusalOf(subspace, {.rank_rule = "file:" + (folder / "none.json").string()});
    QVERIFY(absent && absent->kind == ErrorKind::not_found);
}

void TestProjection::ranksOfAList() {
    const Subspace subspace = test::randomSubspace({});
    const std::string good = "1.k=2,1.v=12,3.k=1,3.v=5,0.k=9";
    QCOMPARE(ranksOf(subspace, good), (Ranks{2}));
    QCOMPARE(ranksOf(subspace, good, {3, KvStream::v}), (Ranks{5}));
    for (const char* bad : {"1.k=2,1.v=12,3.k=1", "1.k=0", "1.k=2.5", "1.k=2,1.k=3", "1.k=2,", ",1.k=2",
                            "1.k", "01.k=2", "1.q=2", "1.k=13,1.v=12,3.k=1,3.v=5", "1.k=2;1.v=3"}) {
        const auto refusal = refusalOf(subspace, {.rank_rule = bad});
        QVERIFY2(refusal && refusal->kind == ErrorKind::invalid_argument && refusal->isOneLine(), bad);
    }
}

void TestProjection::clipsToTheNumericRank() {
    const Subspace subspace = test::randomSubspace({.numeric_rank = 4});
    for (const bool allow : {false, true}) {
        const Projection projection = selectProjection(subspace, some_sha256, {.allow_arbitrary = allow});
        QCOMPARE(projection.maps.at({3, KvStream::k}).ranks, (Ranks{4}));
        QCOMPARE(projection.warnings.size(), size_t{4});
        QCOMPARE(QString::fromStdString(projection.warnings[0]),
                 "1.k: rank rule half_dim asks for rank 6, clipped to the numeric rank 4");
    }
    QVERIFY(selectProjection(subspace, some_sha256, {.rank_rule = "half_numeric"}).warnings.empty());
}

void TestProjection::fixedRanksAboveTheNumericRank() {
    const Subspace subspace = test::randomSubspace({.numeric_rank = 4});
    const auto refusal = refusalOf(subspace, {.rank_rule = "5"});
    QVERIFY(refusal && refusal->kind == ErrorKind::invalid_argument && refusal->says("--allow-arbitrary"));
    const Projection allowed =
        selectProjection(subspace, some_sha256, {.rank_rule = "5", .allow_arbitrary = true});
    QCOMPARE(allowed.maps.at({1, KvStream::k}).ranks, (Ranks{5}));
    QCOMPARE(allowed.warnings.size(), size_t{4});
    QVERIFY(std::abs(allowed.maps.at({1, KvStream::k}).map.trace() - 5) < 1e-12);
}

void TestProjection::whatIsProjected() {
    const KvTarget k1 = {1, KvStream::k}, v1 = {1, KvStream::v}, k3 = {3, KvStream::k}, v3 = {3, KvStream::v};
    const Subspace two = test::randomSubspace({});
    const auto targets = [&](const Subspace& subspace, const ProjectionSettings& settings) {
        return targetsOf(selectProjection(subspace, some_sha256, settings));
    };
    using Targets = std::vector<KvTarget>;
    QVERIFY(targets(two, {}) == (Targets{k1, v1, k3, v3}));
    QVERIFY(targets(two, {.project = "k"}) == (Targets{k1, k3}));
    QVERIFY(targets(two, {.layers = "3", .project = "v"}) == (Targets{v3}));
    QVERIFY(targets(two, {.layers = "last_mid"}) == (Targets{k1, v1, k3, v3}));
    const Subspace all = test::randomSubspace({.layers = {0, 1, 2, 3}});
    QVERIFY(targets(all, {}) == (Targets{k1, v1, k3, v3}));  // last_mid, for all were measured
    QCOMPARE(targets(all, {.layers = "all"}).size(), size_t{8});
    const Subspace odd = test::randomSubspace({.layers = {0, 2}});
    QVERIFY(targets(odd, {.project = "k"}) == (Targets{{0, KvStream::k}, {2, KvStream::k}}));
    const auto refusal = refusalOf(odd, {.layers = "last_mid"});
    QVERIFY(refusal && refusal->says("layer 1 was not measured, only 0, 2"));
}

void TestProjection::whatIsFolded() {
    const auto apply = [](KvSite site, const ProjectionSettings& settings) {
        return selectProjection(test::randomSubspace({.site = site}), some_sha256, settings).apply;
    };
    QVERIFY(apply(KvSite::proj, {}) == ProjectApply::folded);
    QVERIFY(apply(KvSite::proj, {.when = ProjectWhen::decode_only}) == ProjectApply::folded);
    QVERIFY(apply(KvSite::proj, {.apply = ProjectApply::activation}) == ProjectApply::activation);
    QVERIFY(apply(KvSite::post_rope, {}) == ProjectApply::activation);
    QVERIFY(apply(KvSite::post_rope, {.project = "v"}) == ProjectApply::folded);
    const auto refusal =
        refusalOf(test::randomSubspace({.site = KvSite::post_norm}), {.apply = ProjectApply::folded});
    QVERIFY(refusal && refusal->kind == ErrorKind::invalid_argument && refusal->says("post_norm"));
}

void TestProjection::randomControl() {
    const Subspace subspace = test::randomSubspace({.per_head = true});
    const auto select = [&](uint64_t seed) {
        return selectProjection(subspace, some_sha256,
                                {.control = ProjectControl::random, .control_seed = seed});
    };
    const Projection first = select(7);
    std::vector<Matrix> blocks;
    for (const auto& [target, map] : first.maps) {
        QVERIFY(map.map == select(7).maps.at(target).map);
        QVERIFY(largest(map.map * map.map - map.map) < 1e-13);
        QVERIFY(std::abs(map.map.trace() - 6) < 1e-12);
        for (const Eigen::Index head : {0, 1})
            blocks.push_back(map.map.block(6 * head, 6 * head, 6, 6));
        blocks.push_back(select(8).maps.at(target).map.topLeftCorner(6, 6));
    }
    for (size_t i = 0; i < blocks.size(); ++i)
        for (size_t j = 0; j < i; ++j)
            QVERIFY(largest(blocks[i] - blocks[j]) > 1e-3);  // seed, layer, K/V and head each matter
    const Matrix narrow = randomBasis(3, {1, KvStream::k}, 0, 2, 9),
                 wide = randomBasis(3, {1, KvStream::k}, 0, 9, 9);
    QVERIFY(largest(narrow - wide.topRows(2)) < 1e-14);
}

/// The mean of P over seeds is (r/w) I, and the first row of the basis is as often above as below.
void TestProjection::randomSubspacesAreUniform() {
    constexpr int seeds = 4000;
    Matrix mean = Matrix::Zero(6, 6), fourth = Matrix::Zero(6, 6);
    for (int seed = 0; seed < seeds; ++seed) {
        const Matrix basis = randomBasis(static_cast<uint64_t>(seed), {0, KvStream::v}, 0, 2, 6);
        const Matrix kept = basis.transpose() * basis;
        mean += kept / seeds;
        fourth += kept.cwiseAbs2() / seeds;
    }
    // Of a uniform subspace: E P_ii = 1/3, E P_ij = 0, E P_ii^2 = r (r + 2) / (w (w + 2)) = 1/6.
    const double off_mean = largest(mean - Matrix::Identity(6, 6) / 3);
    const double off_square = (fourth.diagonal().array() - 1.0 / 6).abs().maxCoeff();
    std::printf("measured: %d random subspaces: mean off by %.2g, mean square by %.2g\n", seeds, off_mean,
                off_square);
    QVERIFY(off_mean < 0.02);  // five standard errors
    QVERIFY(off_square < 0.02);
}

void TestProjection::recordTellsProjectionsApart() {
    const Subspace subspace = test::randomSubspace({});
    const auto record = [&](const ProjectionSettings& settings, const std::string& sha256 = some_sha256) {
        return selectProjection(subspace, sha256, settings).record;
    };
    QVERIFY(record({}) == record({.layers = "1,3", .rank_rule = "half_dim"}));
    std::vector<nlohmann::ordered_json> records = {
        record({}),
        record({}, std::string(64, 'd')),
        record({.layers = "3"}),
        record({.rank_rule = "5"}),
        record({.project = "k"}),
        record({.strength = 0.5}),
        record({.control = ProjectControl::complement}),
        record({.control = ProjectControl::random, .control_seed = 1}),
        record({.control = ProjectControl::random, .control_seed = 2}),
        record({.when = ProjectWhen::decode_only}),
        record({.apply = ProjectApply::activation})};
    for (size_t i = 0; i < records.size(); ++i)
        for (size_t j = 0; j < i; ++j)
            QVERIFY(records[i] != records[j]);
    QCOMPARE(records[0].at("ranks").dump(), R"({"1.k":[6],"1.v":[6],"3.k":[6],"3.v":[6]})");
}

void TestProjection::refusals_data() {
    QTest::addColumn<QString>("layers");
    QTest::addColumn<QString>("rule");
    QTest::addColumn<QString>("project");
    QTest::addColumn<double>("strength");
    QTest::newRow("layer not measured") << "2"
                                        << ""
                                        << "both" << 1.0;
    QTest::newRow("layer not there") << "4"
                                     << ""
                                     << "both" << 1.0;
    QTest::newRow("all layers") << "all"
                                << ""
                                << "both" << 1.0;
    QTest::newRow("no such rule") << ""
                                  << "half"
                                  << "both" << 1.0;
    QTest::newRow("rank 0") << ""
                            << "0"
                            << "both" << 1.0;
    QTest::newRow("negative rank") << ""
                                   << "-3"
                                   << "both" << 1.0;
    QTest::newRow("rank above the width") << ""
                                          << "13"
                                          << "both" << 1.0;
    QTest::newRow("energy 0") << ""
                              << "energy:0"
                              << "both" << 1.0;
    QTest::newRow("energy above 1") << ""
                                    << "energy:1.01"
                                    << "both" << 1.0;
    QTest::newRow("energy NaN") << ""
                                << "energy:nan"
                                << "both" << 1.0;
    QTest::newRow("energy of nothing") << ""
                                       << "energy:"
                                       << "both" << 1.0;
    QTest::newRow("no such stream") << ""
                                    << ""
                                    << "q" << 1.0;
    QTest::newRow("strength NaN") << ""
                                  << ""
                                  << "both" << std::nan("");
    QTest::newRow("strength infinite") << ""
                                       << ""
                                       << "both" << HUGE_VAL;
}

void TestProjection::refusals() {
    QFETCH(QString, layers);
    QFETCH(QString, rule);
    QFETCH(QString, project);
    QFETCH(double, strength);
    const auto refusal = refusalOf(test::randomSubspace({}), {.layers = layers.toStdString(),
                                                              .rank_rule = rule.toStdString(),
                                                              .project = project.toStdString(),
                                                              .strength = strength});
    QVERIFY(refusal && refusal->isOneLine());
    QVERIFY(refusal->kind == ErrorKind::invalid_argument);
    Subspace silent = test::randomSubspace({});
    Spectrum& spectrum = silent.targets.at({3, KvStream::v}).heads[0];
    spectrum = spectrumOf(Matrix::Zero(12, 12), Matrix::Zero(12, 12));
    const auto of_zero = refusalOf(silent, {});
    QVERIFY(of_zero && of_zero->says("3.v") && of_zero->says("zero"));
}

QTEST_GUILESS_MAIN(TestProjection)
#include "tst_projection.moc"
