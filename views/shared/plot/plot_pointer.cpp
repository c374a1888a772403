// Plot: the values under the pointer, the picked mark.
#include <qcustomplot.h>

#include <QLabel>
#include <algorithm>

#include "views/shared/numbers.h"
#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

void placeLine(QCPItemStraightLine* line, double x) {
    // Two heights that are positive, so that a logarithmic axis can place them too.
    line->point1->setCoords(x, 1);
    line->point2->setCoords(x, 2);
}

}  // namespace

void Plot::setMark(std::optional<double> x, const QString& text) {
    mark_line_->setVisible(x.has_value());
    mark_label_->setVisible(x.has_value() && !text.isEmpty());
    if (x) {
        placeLine(mark_line_, *x);
        mark_label_->setText(QStringLiteral(" ") + text);
        mark_label_->position->setCoords(*x, 0.02);
    }
    mark_ = x;
    redrawOverlay();
}

void Plot::setMarkMovable(bool movable) {
    mark_movable_ = movable;
}

bool Plot::isOnMark(const QPointF& position) const {
    return mark_movable_ && mark_ && std::abs(plot_->xAxis->coordToPixel(*mark_) - position.x()) <= kGrid;
}

bool Plot::pressMark(const QPointF& position) {
    moving_mark_ = isOnMark(position);
    if (moving_mark_)
        plot_->axisRect()->setRangeDrag({});  // the mark moves, not the range
    return moving_mark_;
}

bool Plot::releaseMark() {
    if (!std::exchange(moving_mark_, false))
        return false;
    plot_->axisRect()->setRangeDrag(Qt::Horizontal | Qt::Vertical);
    Q_EMIT markReleased();
    return true;
}

void Plot::redrawOverlay() {
    if (!refill_waits_)
        overlay_->replot();
}

void Plot::showPointerAt(std::optional<double> x) {
    pointer_line_->setVisible(x.has_value());
    if (x)
        placeLine(pointer_line_, *x);
    values_->setVisible(x.has_value() && !curves_.empty());
    if (values_->isVisible()) {
        values_->setText(valuesAt(*x));
        values_->adjustSize();
        const int at = static_cast<int>(plot_->xAxis->coordToPixel(*x));
        const bool right = at + kInner + values_->width() < plot_->width();
        values_->move(right ? at + kInner : std::max(0, at - kInner - values_->width()), 2 * kInner);
    }
    redrawOverlay();
}

void Plot::onMouseMove(const QPointF& position) {
    if (!plot_->axisRect()->rect().contains(position.toPoint())) {
        showPointerAt({});
        return;
    }
    const double x = plot_->xAxis->pixelToCoord(position.x());
    if (moving_mark_) {
        Q_EMIT markMoved(x);
        return;
    }
    plot_->setCursor(isOnMark(position) ? Qt::SplitHCursor : Qt::ArrowCursor);
    showPointerAt(x);
    Q_EMIT pointerMoved(x);
}

QString Plot::valuesAt(double x) const {
    QStringList lines;
    for (const Curve& curve : curves_) {
        if (curve.x.empty() || lines.size() > 12)
            continue;
        auto near = std::lower_bound(curve.x.begin(), curve.x.end(), x);
        if (near == curve.x.end() || (near != curve.x.begin() && x - *std::prev(near) < *near - x))
            --near;
        if (lines.isEmpty())
            lines << QStringLiteral("%1 %2").arg(plot_->xAxis->label(), formatNumber(*near, 5));
        const double y = curve.y[static_cast<size_t>(near - curve.x.begin())];
        lines << QStringLiteral("%1  %2").arg(curve.name, formatNumber(y, 4));
    }
    return lines.join(u'\n');
}

}  // namespace spd
