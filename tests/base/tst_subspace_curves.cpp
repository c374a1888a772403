// What a window draws of a subspace: the cheap readings against the whole ones, and the size and time of the
// curves of a large model.

#include <QTest>
#include <chrono>
#include <cmath>

#include "core/base/seconds_since.h"
#include "core/subspace/display/curves.h"
#include "core/subspace/files/subspace_json.h"
#include "core/subspace/subspace_folder.h"
#include "tests/support/subspaces.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using nlohmann::ordered_json;

class TestSubspaceCurves : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void spectraAreThoseOfTheWholeFolder() {
        for (const bool per_head : {false, true}) {
            const test::TemporaryFolder folder;
            writeSubspaceFiles(folder.path(), test::randomSubspace({.per_head = per_head}));
            const Subspace whole = readSubspace(folder.path());
            Subspace spectra = readSpectra(folder.path());
            QVERIFY(curvesJson(whole) == curvesJson(spectra));
            const KvTarget target = whole.targets.begin()->first;
            readVectors(folder.path(), target, spectra);
            for (size_t i = 0; i < whole.targets.at(target).heads.size(); ++i)
                QVERIFY(whole.targets.at(target).heads[i].right_singular_vectors ==
                        spectra.targets.at(target).heads[i].right_singular_vectors);
        }
    }

    void ranksAreThoseOfTheProjection() {
        const Subspace subspace = test::randomSubspace({.per_head = true, .numeric_rank = 4});
        for (const char* rule : {"half_dim", "half_numeric", "energy:0.9", "2"}) {
            ProjectionSettings settings;
            settings.rank_rule = rule;
            const Projection projection = selectProjection(subspace, std::string(64, '0'), settings);
            const SelectedRanks selected = selectRanks(subspace, settings);
            QVERIFY(selected.warnings == projection.warnings);
            for (const auto& [target, map] : projection.maps)
                QVERIFY(selected.ranks.at(target) == map.ranks);
            QVERIFY(selected.ranks.size() == projection.maps.size());
        }
    }

    void theRankTableSaysWhatIsKept() {
        const Subspace subspace = test::randomSubspace({});
        ProjectionSettings settings;
        settings.rank_rule = "3";
        const ordered_json table = rankTableJson(subspace, selectRanks(subspace, settings));
        QCOMPARE(table["targets"].size(), size_t{4});
        const Eigen::VectorXd& s = subspace.targets.begin()->second.heads[0].singular_values;
        const ordered_json& row = table["targets"][0];
        QVERIFY(row["target"] == "1.k" && row["rank"] == 3 && row["head"].is_null());
        QVERIFY(std::abs(row["kept_energy"].get<double>() - s.head(3).squaredNorm() / s.squaredNorm()) <
                1e-8);
        QVERIFY(std::abs(row["gap"].get<double>() - s(2) / s(3)) < 1e-8 * s(2) / s(3));
        QVERIFY(std::abs(row["chance"].get<double>() - 3.0 / static_cast<double>(s.size())) < 1e-8);
        settings.rank_rule = "energy:1";
        QVERIFY(rankTableJson(subspace, selectRanks(subspace, settings))["targets"][0]["gap"].is_null());
    }

    /// 80 layers, K and V 1,024 wide.
    void curvesOfALargeModelAreSmallAndQuick() {
        constexpr int64_t width = 1024;
        Subspace subspace = test::randomSubspace({});
        TargetSubspace made = subspace.targets.begin()->second;
        made.heads[0].singular_values = Eigen::VectorXd::LinSpaced(width, 1, 1e-7).array().cube();
        made.heads[0].split_half_overlap = Eigen::VectorXd::LinSpaced(width, 1.0 / 3, 1).array().sqrt();
        made.heads[0].numeric_rank = width / 2;
        subspace.targets.clear();
        subspace.layers.clear();
        for (int64_t layer = 0; layer < 80; ++layer) {
            subspace.layers.push_back(layer);
            for (const KvStream stream : {KvStream::k, KvStream::v})
                subspace.targets[{layer, stream}] = made;
        }
        subspace.num_hidden_layers = 80;
        const std::string file = subspaceJson(subspace);
        const auto start = std::chrono::steady_clock::now();
        const Subspace read = parseSubspaceJson(file, "subspace.json", {.max_bytes = size_t{256} << 20});
        const double reading = secondsSince(start);
        const std::string text = curvesJson(subspace).dump();
        qInfo("measured: curves of 80 layers x 1024 take %.1f MiB and %.2f s, %.2f s of it to read the file",
              static_cast<double>(text.size()) / (1 << 20), secondsSince(start), reading);
        QVERIFY(text.size() < size_t{64} << 20);
        QVERIFY(secondsSince(start) < 1);
        const ordered_json curve = ordered_json::parse(text)["targets"][7]["singular_values"];
        for (int64_t i = 0; i < width; ++i)
            QVERIFY(std::abs(curve[static_cast<size_t>(i)].get<double>() / made.heads[0].singular_values(i) -
                             1) < 1e-8);
    }
};

QTEST_APPLESS_MAIN(TestSubspaceCurves)
#include "tst_subspace_curves.moc"
