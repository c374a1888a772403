// The Subspace page: rank rules and figures against core's, the picks and their undo, and how long a drag
// takes.

#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTest>
#include <cstdio>
#include <random>

#include "core/protocol/message.h"
#include "core/subspace/display/curves.h"
#include "core/subspace/principal_angles.h"
#include "core/subspace/selection/rank_rule.h"
#include "core/subspace/spectrum.h"
#include "core/subspace/subspace_folder.h"
#include "views/subspace/heat_map.h"
#include "views/subspace/picks/measures.h"
#include "views/subspace/spectrum_plots.h"
#include "views/subspace/subspace_page.h"
#include "views/subspace/targets_model.h"

using namespace spd;
using protocol::SubspaceCurves;
using protocol::TargetCurves;

namespace {

/// Spectra that fall like real ones, some with directions that no row reaches.
TargetCurves targetOf(int64_t layer, KvStream stream, int64_t width, std::mt19937& random,
                      int64_t numeric_rank) {
    TargetCurves target;
    target.target = {layer, stream};
    target.rows = 900;
    target.nonzero_rows = 880;
    target.numeric_rank = numeric_rank;
    std::uniform_real_distribution<double> step(0.90, 0.999);
    double value = 2;
    for (int64_t r = 0; r < width; ++r) {
        target.singular_values.push_back(r < numeric_rank ? value : 0);
        value *= step(random);
        target.split_half_overlap.push_back(0.5 +
                                            0.5 * static_cast<double>(r + 1) / static_cast<double>(width));
    }
    target.effective_rank = 9.5;
    target.stable_rank = 3.2;
    return target;
}

SubspaceCurves curvesOf(int64_t layers, int64_t width, int64_t numeric_rank) {
    std::mt19937 random(3);
    SubspaceCurves curves;
    curves.path = "/runs/a/calibration";
    curves.num_hidden_layers = layers;
    curves.examples = 20;
    for (int64_t layer = 0; layer < layers; ++layer) {
        curves.layers.push_back(layer);
        for (const KvStream stream : {KvStream::k, KvStream::v})
            curves.targets.push_back(targetOf(layer, stream, width, random, numeric_rank));
    }
    return curves;
}

Spectrum spectrumLike(const TargetCurves& target) {
    Spectrum spectrum;
    spectrum.singular_values =
        Eigen::Map<const Eigen::VectorXd>(target.singular_values.data(), std::ssize(target.singular_values));
    spectrum.numeric_rank = target.numeric_rank;
    return spectrum;
}

}  // namespace

class tst_SubspacePage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// The window's rules against those that the engine projects by.
    void ranksAreThoseOfTheEngine() {
        for (const int64_t numeric_rank : {64, 40, 7, 1}) {
            const SubspaceFigures figures(curvesOf(3, 64, numeric_rank));
            for (size_t i = 0; i < figures.size(); ++i)
                for (const double energy : {0.3, 0.5, 0.9, 0.99, 0.9999, 1.0})
                    for (const RankChoice::Rule rule :
                         {RankChoice::Rule::half_dim, RankChoice::Rule::half_numeric,
                          RankChoice::Rule::energy, RankChoice::Rule::fixed}) {
                        const RankChoice choice{.rule = rule, .energy = energy, .fixed = 11, .by_hand = {}};
                        const int64_t asked =
                            RankRule::parse(choice.ruleText())
                                .rankFor(figures.target(i).target, spectrumLike(figures.target(i)));
                        QCOMPARE(rankOf(choice, figures.target(i)), std::min(asked, numeric_rank));
                        QCOMPARE(isClipped(choice, figures.target(i)), asked > numeric_rank);
                    }
        }
    }

    void figuresAreTheirDefinitions() {
        const SubspaceFigures figures(curvesOf(2, 32, 20));
        const TargetCurves& target = figures.target(1);
        double total = 0, kept = 0;
        for (const double value : target.singular_values)
            total += value * value;
        for (int r = 0; r < 12; ++r)
            kept += target.singular_values[static_cast<size_t>(r)] *
                    target.singular_values[static_cast<size_t>(r)];
        const RankFigures at = figures.at(1, 12);
        QVERIFY(std::abs(at.energy - kept / total) < 1e-15);
        QCOMPARE(at.gap, target.singular_values[11] / target.singular_values[12]);
        QCOMPARE(at.overlap, target.split_half_overlap[11]);
        QCOMPARE(at.chance, 12.0 / 32);
        QCOMPARE(at.arbitrary, int64_t{0});
        QCOMPARE(figures.at(1, 25).arbitrary, int64_t{5});
        QVERIFY(std::isinf(figures.at(1, 20).gap) && std::isinf(figures.at(1, 32).gap));
        QCOMPARE(figures.at(1, 0).rank, int64_t{0});
        QCOMPARE(figures.at(1, 99).rank, int64_t{32});
    }

    /// What the engine says of a subspace, read by the window.
    void curvesComeBackFromTheirMessage() {
        const SubspaceCurves curves = curvesOf(5, 48, 30);
        Subspace subspace;
        subspace.num_hidden_layers = 5;
        subspace.layers = curves.layers;
        for (const TargetCurves& target : curves.targets) {
            Spectrum spectrum = spectrumLike(target);
            spectrum.split_half_overlap =
                Eigen::Map<const Eigen::VectorXd>(target.split_half_overlap.data(), 48);
            subspace.targets[target.target].heads.push_back(spectrum);
        }
        nlohmann::ordered_json json = curvesJson(subspace);
        json["path"] = "/runs/a/calibration";
        const SubspaceCurves back = SubspaceCurves::fromJson(json);
        QCOMPARE(back.layers, curves.layers);
        QCOMPARE(back.targets.size(), curves.targets.size());
        for (size_t i = 0; i < curves.targets.size(); ++i) {
            QVERIFY(back.targets[i].target == curves.targets[i].target && back.targets[i].numeric_rank == 30);
            for (size_t r = 0; r < 48; ++r)
                QVERIFY(std::abs(back.targets[i].singular_values[r] - curves.targets[i].singular_values[r]) <=
                        1e-8 * curves.targets[i].singular_values[r]);
        }
        for (const char* key : {"targets", "num_hidden_layers", "path"}) {
            nlohmann::ordered_json broken = json;
            broken.erase(key);
            QVERIFY_THROWS_EXCEPTION(protocol::Refusal, SubspaceCurves::fromJson(broken));
        }
        nlohmann::ordered_json broken = json;
        broken["targets"][2]["split_half_overlap"].erase(0);
        QVERIFY_THROWS_EXCEPTION(protocol::Refusal, SubspaceCurves::fromJson(broken));
    }

    void picksAreUndone() {
        SubspacePage page;
        page.setCurves(curvesOf(24, 64, 64));
        QVERIFY((page.pick().layers == std::set<int64_t>{11, 23}));
        auto* map = page.findChild<HeatMap*>();
        Q_EMIT map->layerToggled(5);
        QVERIFY((page.pick().layers == std::set<int64_t>{5, 11, 23}));
        Q_EMIT map->layerToggled(11);
        page.undoStack()->undo();
        page.undoStack()->undo();
        QVERIFY((page.pick().layers == std::set<int64_t>{11, 23}));
        page.undoStack()->redo();
        QVERIFY(page.pick().layers.contains(5));
        QVERIFY(map->picked() == page.pick().layers);
    }

    void aDragIsOneStep() {
        SubspacePage page;
        page.setCurves(curvesOf(24, 64, 64));
        const ProjectionPick before = page.pick();
        QSignalSpy settled(&page, &SubspacePage::pickSettled);
        auto* plots = page.findChild<SpectrumPlots*>();
        QVERIFY(plots != nullptr);
        for (const int64_t rank : {30, 29, 28, 20})
            QVERIFY(QMetaObject::invokeMethod(plots, "rankDragged", Q_ARG(int64_t, rank)));
        QVERIFY(QMetaObject::invokeMethod(plots, "rankReleased"));
        QVERIFY(QMetaObject::invokeMethod(plots, "rankDragged", Q_ARG(int64_t, 10)));
        QCOMPARE(page.pick().rank.fixed, int64_t{10});
        QCOMPARE(settled.count(), 1);
        QCOMPARE(page.undoStack()->count(), 2);
        page.undoStack()->undo();
        QCOMPARE(page.pick().rank.fixed, int64_t{20});
        page.undoStack()->undo();
        QVERIFY(page.pick() == before);
    }

    void ranksAreSetByHand() {
        SubspacePage page;
        page.setCurves(curvesOf(24, 64, 50));
        auto* model = page.findChild<TargetsModel*>();
        const QAbstractItemModelTester tester(model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(model->rowCount(), 4);
        const QModelIndex rank = model->index(2, TargetsModel::rank);
        QVERIFY(model->setData(rank, 60, Qt::EditRole));
        QVERIFY(!model->setData(rank, 0, Qt::EditRole) &&
                !model->setData(rank, QStringLiteral("x"), Qt::EditRole));
        QCOMPARE(model->data(rank, Qt::UserRole).toInt(), 50);  // clipped to what the data tells
        QVERIFY(model->data(rank, Qt::DisplayRole).toString().contains(QStringLiteral("clipped")));
        QCOMPARE(model->data(model->index(0, TargetsModel::rank), Qt::UserRole).toInt(), 32);
        // What the engine is asked for gives each target the rank that is shown.
        const RankRule rule = RankRule::parse(page.rankRule());
        QCOMPARE(rule.rankFor({23, KvStream::k}, {}), int64_t{50});
        QCOMPARE(rule.rankFor({11, KvStream::v}, {}), int64_t{32});
    }

    void measuresHaveTheirEnds() {
        const SubspaceFigures figures(curvesOf(4, 32, 32));
        for (const Measure measure : kMeasures) {
            const MeasuredCells cells = measureCells(measure, figures, {});
            QCOMPARE(cells.values.size(), figures.size());
            QVERIFY(cells.high > cells.low && !measureName(measure).isEmpty());
            for (const double value : cells.values)
                QVERIFY(value >= cells.low - 1e-12 && value <= cells.high + 1e-12);
        }
        // Overlap in the curves above lies half way between chance and 1 at any rank.
        for (const double value : measureCells(Measure::overlap, figures, {}).values)
            QVERIFY(std::abs(value - 0.5) < 1e-12);
    }

    /// 80 layers x 1024, the last 24 targets drawn: each movement of the cursor, painted.
    void aDragAnswersInTime() {
        SubspacePage page;
        page.resize(1000, 700);
        page.setCurves(curvesOf(80, 1024, 1024));
        ProjectionPick all = page.pick();
        for (int64_t layer = 0; layer < 80; ++layer)
            all.layers.insert(layer);
        page.setPick(all);
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        QTest::qWait(100);
        auto* plots = page.findChild<SpectrumPlots*>();
        std::vector<double> milliseconds;
        for (int64_t rank = 900; rank > 100; rank -= 8) {
            QElapsedTimer timer;
            timer.start();
            QMetaObject::invokeMethod(plots, "rankDragged", Q_ARG(int64_t, rank));
            QCoreApplication::processEvents();
            milliseconds.push_back(static_cast<double>(timer.nsecsElapsed()) * 1e-6);
        }
        std::sort(milliseconds.begin(), milliseconds.end());
        const double median = milliseconds[milliseconds.size() / 2];
        std::printf(
            "measured: a movement of the rank cursor with 160 targets x 1024, painted: median %.1f ms, p99 "
            "%.1f ms\n",
            median, milliseconds[milliseconds.size() * 99 / 100]);
        QVERIFY2(median <= 16, "slower than a screen's picture");
    }

    /// SPD_SHOW_SUBSPACE names a calibration's folder, SPD_SCREENSHOTS where the picture goes.
    void aRealCalibration() {
        const QByteArray folder = qgetenv("SPD_SHOW_SUBSPACE");
        const QString pictures = qEnvironmentVariable("SPD_SCREENSHOTS");
        if (folder.isEmpty() || pictures.isEmpty())
            QSKIP("SPD_SHOW_SUBSPACE and SPD_SCREENSHOTS are not set");
        SubspacePage page;
        page.resize(850, 600);
        nlohmann::ordered_json json = curvesJson(readSubspace(folder.toStdString()));
        json["path"] = folder.toStdString();
        page.setCurves(SubspaceCurves::fromJson(json));
        page.show();
        QTest::qWait(300);
        QVERIFY(page.grab().save(pictures + QStringLiteral("/subspace.png")));
    }
};

QTEST_MAIN(tst_SubspacePage)
#include "tst_subspace_page.moc"
