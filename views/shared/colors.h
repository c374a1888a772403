#pragma once

#include <QColor>
#include <QPalette>
#include <QPen>

namespace spd {

// Colours by what they mean, the same on every page, readable on light and dark, told apart by colour-blind
// people and doubled by dash or marker. Never red against green.

/// Whose curve, row or pane it is.
enum class Role { base, spd, psr, ssd, control };

/// Which of the two projections: K is drawn solid, V dotted.
enum class Target { k, v };

/// What a mark or a message says; always beside a shape or a word.
enum class Status { plain, running, done, warning };

/// The window's ground is darker than its text.
bool isDark(const QPalette& palette);

QColor roleColor(Role role, const QPalette& palette);
QColor statusColor(Status status, const QPalette& palette);
/// The one accent: the main button, the picked stage, the cursor of a plot.
QColor accentColor(const QPalette& palette);
/// Text that explains; still 4.5 : 1 on the ground.
QColor quietTextColor(const QPalette& palette);
/// Thin rules between groups, grid lines of plots.
QColor ruleColor(const QPalette& palette);

/// Pen of a curve: colour by role, dash by target; controls are dashed whatever the target.
QPen rolePen(Role role, Target target, const QPalette& palette, double width = 1.6);

/// Cividis, the sequential map of heat maps. @param t clipped to 0 .. 1; not finite: transparent.
QColor cividis(double t);
/// Text that is readable on cividis(t).
QColor textOnCividis(double t);

}  // namespace spd
