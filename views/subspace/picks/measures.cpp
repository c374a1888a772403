#include "views/subspace/picks/measures.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <limits>

#include "views/shared/numbers.h"
#include "views/subspace/targets_model.h"

namespace spd {

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("spd::Measure", text);
}

/// What the halves agree on beyond chance: 0 at chance, 1 when they are one subspace.
double beyondChance(const RankFigures& figures) {
    return figures.chance < 1 ? (figures.overlap - figures.chance) / (1 - figures.chance) : 0;
}

double valueOf(Measure measure, const protocol::TargetCurves& target, const RankFigures& figures) {
    switch (measure) {
        case Measure::energy:
            return -std::log10(std::max(1 - figures.energy, 1e-6));
        case Measure::overlap:
            return beyondChance(figures);
        case Measure::gap:
            return std::log10(std::max(1.0, figures.gap));
        case Measure::effective_rank:
            return target.effective_rank;
        case Measure::stable_rank:
            break;
    }
    return target.stable_rank;
}

QString textOf(Measure measure, double value, const RankFigures& figures) {
    switch (measure) {
        case Measure::energy:
            return formatNumber(figures.energy, 4);
        case Measure::overlap:
            return QStringLiteral("%1 (%2)").arg(formatNumber(figures.overlap, 2),
                                                 formatNumber(figures.chance, 2));
        case Measure::gap:
            return formatNumber(figures.gap, 4);
        default:
            return formatNumber(value);
    }
}

}  // namespace

QString measureName(Measure measure) {
    switch (measure) {
        case Measure::energy:
            return tr("kept energy");
        case Measure::overlap:
            return tr("split-half overlap (chance)");
        case Measure::gap:
            return tr("gap at the cut");
        case Measure::effective_rank:
            return tr("effective rank");
        case Measure::stable_rank:
            break;
    }
    return tr("stable rank");
}

QString measureTip(Measure measure) {
    switch (measure) {
        case Measure::energy:
            return tr(
                "Share of the sum of squared singular values that the first r directions hold, coloured by "
                "the number of "
                "nines: 0.99 is a third of the way, 0.999999 the end");
        case Measure::overlap:
            return tr(
                "How much the subspaces of the even and of the odd examples agree; coloured from chance, r / "
                "d, "
                "to 1");
        case Measure::gap:
            return tr("s(r) / s(r+1), coloured by its logarithm: near 1 the cut is close to arbitrary");
        case Measure::effective_rank:
            return tr("exp of the entropy of s / sum s, in directions");
        case Measure::stable_rank:
            break;
    }
    return tr("Sum of s squared over the largest s squared, in directions");
}

MeasuredCells measureCells(Measure measure, const SubspaceFigures& figures, const RankChoice& choice) {
    MeasuredCells cells;
    double largest = 0;
    for (size_t i = 0; i < figures.size(); ++i) {
        const RankFigures at = figures.at(i, rankOf(choice, figures.target(i)));
        const double value = valueOf(measure, figures.target(i), at);
        cells.values.push_back(value);
        cells.texts.push_back(textOf(measure, value, at));
        if (std::isfinite(value))
            largest = std::max(largest, value);
    }
    cells.high = measure == Measure::overlap ? 1 : measure == Measure::energy ? 6 : std::max(largest, 1e-9);
    return cells;
}

QString describeTarget(const SubspaceFigures& figures, size_t target, const RankChoice& choice) {
    const protocol::TargetCurves& curves = figures.target(target);
    const RankFigures at = figures.at(target, rankOf(choice, curves));
    const QStringList lines = {
        targetName(curves, figures.curves().per_head),
        tr("rank %1 of %2, numeric rank %3")
            .arg(at.rank)
            .arg(curves.singular_values.size())
            .arg(curves.numeric_rank),
        tr("kept energy %1").arg(formatNumber(at.energy, 5)),
        tr("gap at the cut %1").arg(formatNumber(at.gap, 4)),
        tr("split-half overlap %1, chance %2").arg(formatNumber(at.overlap), formatNumber(at.chance)),
        tr("effective rank %1, stable rank %2")
            .arg(formatNumber(curves.effective_rank), formatNumber(curves.stable_rank)),
        tr("s1 %1, rows %2").arg(formatNumber(curves.singular_values.front()), formatCount(curves.rows)),
    };
    return lines.join(u'\n');
}

QString ranksInWords(const SubspaceFigures& figures, const std::vector<size_t>& targets,
                     const RankChoice& choice) {
    if (targets.empty())
        return {};
    int64_t least = std::numeric_limits<int64_t>::max(), most = 0;
    for (const size_t target : targets) {
        const int64_t rank = rankOf(choice, figures.target(target));
        least = std::min(least, rank);
        most = std::max(most, rank);
    }
    const auto width = std::ssize(figures.target(targets.front()).singular_values);
    return least == most ? tr("%1 of %2").arg(most).arg(width)
                         : tr("%1 to %2 of %3").arg(least).arg(most).arg(width);
}

QString cutInWords(const SubspaceFigures& figures, const std::vector<size_t>& targets,
                   const RankChoice& choice) {
    if (targets.empty())
        return tr("No layer is picked: nothing is projected.");
    double energy = 1, overlap = 0, chance = 0;
    int64_t nine_tenths = 0;
    for (const size_t target : targets) {
        const RankFigures at = figures.at(target, rankOf(choice, figures.target(target)));
        energy = std::min(energy, at.energy);
        overlap += at.overlap / static_cast<double>(targets.size());
        chance += at.chance / static_cast<double>(targets.size());
        nine_tenths = std::max(nine_tenths, figures.rankOfEnergy(target, 0.9));
    }
    return tr("%1 of the energy is kept, %2 directions hold 90 %. Halves of the examples agree on %3 of the "
              "subspace "
              "(chance %4).")
        .arg(formatPercent(energy), formatCount(nine_tenths), formatPercent(overlap), formatPercent(chance));
}

}  // namespace spd
