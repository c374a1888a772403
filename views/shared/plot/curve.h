#pragma once

#include <QPen>
#include <QString>
#include <vector>

#include "views/shared/colors.h"

namespace spd {

/// One line of a plot and one column of its table.
struct Curve {
    QString name;           ///< as the legend and the table's header say it: "23 K"
    std::vector<double> x;  ///< ascending
    std::vector<double> y;  ///< as many; not finite: a gap
    Role role = Role::spd;
    Target target = Target::k;
    double shade = 0;     ///< 0: the role's colour; towards 1: towards the ground. Tells layers apart.
    double width = 1.6;   ///< device-independent pixels
    bool points = false;  ///< marks at the points, a shape for each role; for few points
    bool in_legend = true;
    QString legend = {};  ///< there, instead of the name: for one that stands for several
};

/// The pen of a curve on this palette.
QPen curvePen(const Curve& curve, const QPalette& palette);

}  // namespace spd
