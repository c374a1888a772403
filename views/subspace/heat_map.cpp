#include "views/subspace/heat_map.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/shared/colors.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kMinimumRow = 7;
constexpr int kMaximumRow = 26;

}  // namespace

HeatMap::HeatMap(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Layers by K and V"));
    setAccessibleDescription(tr("Up and Down move, Space picks a layer or leaves it out"));
}

void HeatMap::setCells(std::vector<Cell> cells, const QStringList& columns) {
    cells_ = std::move(cells);
    columns_ = columns;
    layers_.clear();
    for (const Cell& cell : cells_)
        if (layers_.empty() || layers_.back() != cell.layer)
            layers_.push_back(cell.layer);
    current_ = std::clamp<int>(current_, 0, std::max(0, static_cast<int>(layers_.size()) - 1));
    updateGeometry();
    update();
}

void HeatMap::setValues(const std::vector<double>& values, const QStringList& texts, double low,
                        double high) {
    for (size_t i = 0; i < std::min(values.size(), cells_.size()); ++i) {
        cells_[i].value = values[i];
        cells_[i].text = texts.value(static_cast<qsizetype>(i));
    }
    low_ = low;
    high_ = high;
    update();
}

void HeatMap::setPicked(std::set<int64_t> layers) {
    picked_ = std::move(layers);
    update();
}

QSize HeatMap::sizeHint() const {
    const int rows = std::max<int>(1, static_cast<int>(layers_.size()));
    const int columns = std::max<int>(2, static_cast<int>(columns_.size()));
    return {labelWidth() + columns * (columns > 2 ? 36 : 72) + kGrid, headerHeight() + rows * 16};
}

QSize HeatMap::minimumSizeHint() const {
    return {labelWidth() + 80,
            headerHeight() + kMinimumRow * std::max<int>(4, static_cast<int>(layers_.size()))};
}

int HeatMap::labelWidth() const {
    return fontMetrics().horizontalAdvance(QStringLiteral("000")) + 3 * kGrid;
}

int HeatMap::headerHeight() const {
    return fontMetrics().height() + kGrid;
}

double HeatMap::rowHeight() const {
    if (layers_.empty())
        return kMaximumRow;
    const double room = height() - headerHeight();
    return std::clamp<double>(room / static_cast<double>(layers_.size()), kMinimumRow, kMaximumRow);
}

QRectF HeatMap::rectOf(size_t cell) const {
    const auto row = std::lower_bound(layers_.begin(), layers_.end(), cells_[cell].layer) - layers_.begin();
    const auto from_top = static_cast<double>(std::ssize(layers_) - 1 - row);
    const double width =
        (this->width() - labelWidth()) / static_cast<double>(std::max<qsizetype>(1, columns_.size()));
    return {labelWidth() + cells_[cell].column * width, headerHeight() + from_top * rowHeight(), width,
            rowHeight()};
}

std::optional<size_t> HeatMap::cellAt(const QPointF& position) const {
    for (size_t cell = 0; cell < cells_.size(); ++cell) {
        QRectF rect = rectOf(cell);
        if (cells_[cell].column == 0)
            rect.setLeft(0);  // the layer's number belongs to its row
        if (rect.contains(position))
            return cell;
    }
    return std::nullopt;
}

void HeatMap::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(quietTextColor(palette()));
    const double width =
        (this->width() - labelWidth()) / static_cast<double>(std::max<qsizetype>(1, columns_.size()));
    for (int column = 0; column < columns_.size(); ++column)
        painter.drawText(QRectF(labelWidth() + column * width, 0, width, headerHeight()), Qt::AlignCenter,
                         columns_[column]);
    for (size_t cell = 0; cell < cells_.size(); ++cell)
        paintCell(painter, cell);
    for (int row = 0; row < static_cast<int>(layers_.size()); ++row)
        paintLayer(painter, row);
}

void HeatMap::paintCell(QPainter& painter, size_t cell) const {
    const QRectF rect = rectOf(cell).adjusted(1, 0.5, -1, -0.5);
    const double span = high_ > low_ ? high_ - low_ : 1;
    const double share = (cells_[cell].value - low_) / span;
    painter.fillRect(rect, cividis(share));
    if (rect.height() < fontMetrics().height() * 0.8 ||
        rect.width() < fontMetrics().horizontalAdvance(cells_[cell].text) + 4)
        return;
    painter.setPen(std::isfinite(share) ? textOnCividis(share) : quietTextColor(palette()));
    painter.drawText(rect, Qt::AlignCenter, cells_[cell].text);
}

/// The layer's number, with a bar and bold where it is picked: not by colour alone.
void HeatMap::paintLayer(QPainter& painter, int row) const {
    const int64_t layer = layers_[static_cast<size_t>(row)];
    const double top = headerHeight() + (static_cast<double>(layers_.size()) - 1 - row) * rowHeight();
    const QRectF line(0, top, width(), rowHeight());
    const bool is_picked = picked_.contains(layer);
    QFont font = painter.font();
    font.setBold(is_picked);
    painter.setFont(font);
    const bool marked = row == hovered_ || (row == current_ && hasFocus());
    const bool label_fits = rowHeight() >= fontMetrics().height() * 0.8;
    const bool is_crowded = picked_.contains(layer - 1) || picked_.contains(layer + 1);
    if (is_picked || marked || label_fits || (layer % 5 == 0 && !is_crowded)) {
        painter.setPen(is_picked ? palette().color(QPalette::Text) : quietTextColor(palette()));
        painter.drawText(QRectF(kGrid, top - 4, labelWidth() - 2 * kGrid, rowHeight() + 8),
                         Qt::AlignRight | Qt::AlignVCenter, QString::number(layer));
    }
    if (is_picked)
        painter.fillRect(QRectF(labelWidth() - 7, top + 1, 4, rowHeight() - 2), accentColor(palette()));
    if (marked) {
        painter.setPen(QPen(accentColor(palette()), 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(line.adjusted(labelWidth() + 0.5, 0.5, -1.5, -0.5));
    }
}

void HeatMap::mousePressEvent(QMouseEvent* event) {
    const std::optional<size_t> cell = cellAt(event->position());
    if (!cell || event->button() != Qt::LeftButton)
        return;
    const auto row = std::lower_bound(layers_.begin(), layers_.end(), cells_[*cell].layer) - layers_.begin();
    setCurrent(static_cast<int>(row));
    Q_EMIT layerToggled(cells_[*cell].layer);
}

void HeatMap::mouseMoveEvent(QMouseEvent* event) {
    const std::optional<size_t> cell = cellAt(event->position());
    int row = -1;
    if (cell)
        row = static_cast<int>(std::lower_bound(layers_.begin(), layers_.end(), cells_[*cell].layer) -
                               layers_.begin());
    if (row == hovered_)
        return;
    hovered_ = row;
    Q_EMIT layerHovered(row < 0 ? -1 : layers_[static_cast<size_t>(row)]);
    update();
}

void HeatMap::leaveEvent(QEvent*) {
    hovered_ = -1;
    Q_EMIT layerHovered(-1);
    update();
}

void HeatMap::setCurrent(int row) {
    current_ = std::clamp<int>(row, 0, std::max(0, static_cast<int>(layers_.size()) - 1));
    update();
}

void HeatMap::keyPressEvent(QKeyEvent* event) {
    if (layers_.empty())
        return;
    switch (event->key()) {
        case Qt::Key_Up:
            setCurrent(current_ + 1);
            break;
        case Qt::Key_Down:
            setCurrent(current_ - 1);
            break;
        case Qt::Key_Home:
            setCurrent(static_cast<int>(layers_.size()) - 1);
            break;
        case Qt::Key_End:
            setCurrent(0);
            break;
        case Qt::Key_Space:
        case Qt::Key_Return:
            Q_EMIT layerToggled(layers_[static_cast<size_t>(current_)]);
            break;
        default:
            QWidget::keyPressEvent(event);
            return;
    }
    Q_EMIT layerHovered(layers_[static_cast<size_t>(current_)]);
}

bool HeatMap::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const std::optional<size_t> cell = cellAt(help->pos());
    if (cell && describe_)
        QToolTip::showText(help->globalPos(), describe_(*cell), this, rectOf(*cell).toRect());
    else
        QToolTip::hideText();
    return true;
}

}  // namespace spd
