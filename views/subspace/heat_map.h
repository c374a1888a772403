#pragma once

#include <QStringList>
#include <QWidget>
#include <functional>
#include <optional>
#include <set>
#include <vector>

namespace spd {

/// A grid of layers (rows, the last one on top) by K and V (columns; with bases per head one a head): a
/// number a cell in cividis, layers picked by click, arrows and space. Hover tells all numbers of a cell.
/// Drawing 80 x 16 cells takes about a millisecond. GUI thread.
class HeatMap : public QWidget {
    Q_OBJECT

public:
    explicit HeatMap(QWidget* parent = nullptr);

    struct Cell {
        int64_t layer = 0;
        int column = 0;
        double value = 0;  ///< not finite: drawn empty
        QString text;      ///< inside the cell where it fits
    };
    /// Replaces everything. @param cells  sorted by layer, then by column; a layer has all columns.
    void setCells(std::vector<Cell> cells, const QStringList& columns);
    /// Values of the same cells: what a drag changes. @param low, high  ends of the colour map.
    void setValues(const std::vector<double>& values, const QStringList& texts, double low, double high);
    void setPicked(std::set<int64_t> layers);
    const std::set<int64_t>& picked() const { return picked_; }
    /// What a cell's tooltip says, by its index in setCells().
    void setDescriber(std::function<QString(size_t cell)> describe) { describe_ = std::move(describe); }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void layerToggled(int64_t layer);
    void layerHovered(int64_t layer);  ///< -1: none

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    QRectF rectOf(size_t cell) const;
    std::optional<size_t> cellAt(const QPointF& position) const;
    double rowHeight() const;
    int labelWidth() const;
    int headerHeight() const;
    void paintCell(QPainter& painter, size_t cell) const;
    void paintLayer(QPainter& painter, int row) const;
    void setCurrent(int row);

    std::vector<Cell> cells_;
    std::vector<int64_t> layers_;  // ascending
    QStringList columns_;
    double low_ = 0;
    double high_ = 1;
    std::set<int64_t> picked_;
    int current_ = 0;   // row of the keyboard
    int hovered_ = -1;  // row under the pointer
    std::function<QString(size_t)> describe_;
};

}  // namespace spd
