#include "views/shared/plot/curve.h"

#include <algorithm>

namespace spd {

QPen curvePen(const Curve& curve, const QPalette& palette) {
    QPen pen = rolePen(curve.role, curve.target, palette, curve.width);
    const QColor color = pen.color();
    const QColor ground = palette.color(QPalette::Base);
    const double share = std::clamp(curve.shade, 0.0, 0.8);
    const auto mix = [share](int from, int to) { return static_cast<int>(from + share * (to - from)); };
    pen.setColor(QColor(mix(color.red(), ground.red()), mix(color.green(), ground.green()),
                        mix(color.blue(), ground.blue())));
    return pen;
}

}  // namespace spd
