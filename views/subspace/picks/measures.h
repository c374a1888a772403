#pragma once

#include <QString>
#include <QStringList>
#include <vector>

#include "views/subspace/picks/rank_choice.h"

namespace spd {

/// What a cell of the heat map can show.
enum class Measure { energy, overlap, gap, effective_rank, stable_rank };

/// All of them, in the order of the choice.
inline constexpr Measure kMeasures[] = {Measure::overlap, Measure::energy, Measure::gap,
                                        Measure::effective_rank, Measure::stable_rank};

QString measureName(Measure measure);
QString measureTip(Measure measure);

struct MeasuredCells {
    std::vector<double> values;  ///< one a target
    QStringList texts;
    double low = 0;  ///< ends of the colour map
    double high = 1;
};
/// Each target at its own rank. For 80 layers x 2 it takes well below a millisecond.
MeasuredCells measureCells(Measure measure, const SubspaceFigures& figures, const RankChoice& choice);

/// All numbers of one target at its rank, as a tooltip.
QString describeTarget(const SubspaceFigures& figures, size_t target, const RankChoice& choice);

/// "96 of 192", "41 to 77 of 192": the ranks of these targets; empty without any.
QString ranksInWords(const SubspaceFigures& figures, const std::vector<size_t>& targets,
                     const RankChoice& choice);

/// In a sentence how far the data decides the cut. @param targets  that are projected
QString cutInWords(const SubspaceFigures& figures, const std::vector<size_t>& targets,
                   const RankChoice& choice);

}  // namespace spd
