#include "views/shared/colors.h"

#include <algorithm>
#include <cmath>

namespace spd {

namespace {

/// A colour for light and one for dark ground.
struct Pair {
    QRgb light;
    QRgb dark;
};

QColor pick(Pair pair, const QPalette& palette) {
    return QColor(isDark(palette) ? pair.dark : pair.light);
}

int channel(double value) {
    return static_cast<int>(std::lround(std::clamp(value, 0.0, 255.0)));
}

}  // namespace

bool isDark(const QPalette& palette) {
    return palette.color(QPalette::Window).lightness() < palette.color(QPalette::WindowText).lightness();
}

QColor roleColor(Role role, const QPalette& palette) {
    switch (role) {
        case Role::base:
            return pick({0xff4f708f, 0xff8fb0cf}, palette);
        case Role::spd:
            return pick({0xffd26900, 0xffff9d3b}, palette);
        case Role::psr:
            return pick({0xff00805c, 0xff35c79b}, palette);
        case Role::ssd:
            return pick({0xff8250b0, 0xffc49bea}, palette);
        case Role::control:
            break;
    }
    return pick({0xff7d7d7d, 0xffa0a0a0}, palette);
}

QColor statusColor(Status status, const QPalette& palette) {
    switch (status) {
        case Status::plain:
            return quietTextColor(palette);
        case Status::warning:
            return pick({0xffb35c00, 0xffffb454}, palette);
        case Status::running:
        case Status::done:
            break;
    }
    return accentColor(palette);
}

QColor accentColor(const QPalette& palette) {
    return pick({0xff1f6fb2, 0xff62b0ef}, palette);
}

QColor quietTextColor(const QPalette& palette) {
    return pick({0xff5c6670, 0xffa4aeb8}, palette);
}

QColor ruleColor(const QPalette& palette) {
    return pick({0xffd5dadf, 0xff3a4149}, palette);
}

QPen rolePen(Role role, Target target, const QPalette& palette, double width) {
    QPen pen(roleColor(role, palette));
    pen.setWidthF(width);
    pen.setCosmetic(true);
    if (role == Role::control)
        pen.setStyle(Qt::DashLine);
    else
        pen.setStyle(target == Target::k ? Qt::SolidLine : Qt::DotLine);
    return pen;
}

QColor cividis(double t) {
    if (!std::isfinite(t))
        return Qt::transparent;
    t = std::clamp(t, 0.0, 1.0);
    // Polynomials through matplotlib's table (d3-scale-chromatic's fit).
    const double red = -4.54 - t * (35.34 - t * (2381.73 - t * (6402.7 - t * (7024.72 - t * 2710.57))));
    const double green = 32.49 + t * (170.73 + t * (52.82 - t * (131.46 - t * (176.58 - t * 67.37))));
    const double blue = 81.24 + t * (442.36 - t * (2482.43 - t * (6167.24 - t * (6614.94 - t * 2475.67))));
    return QColor(channel(red), channel(green), channel(blue));
}

QColor textOnCividis(double t) {
    return t > 0.5 ? QColor(0x1a1a1a) : QColor(0xf5f5f5);
}

}  // namespace spd
