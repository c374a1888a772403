#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "views/shared/plot/curve.h"

namespace spd {

/// The data of a plot as a table: a column x and one for each curve when all have the same x, else rows of
/// curve, x, y. Every point is there, whatever the plot shows.
class CurveTable : public QAbstractTableModel {
    Q_OBJECT

public:
    using QAbstractTableModel::QAbstractTableModel;

    /// @param curves  must live as long as they are set; call again when they change.
    void setCurves(const std::vector<Curve>* curves, const QString& x_label, const QString& y_label);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    /// All rows with a header line, RFC 4180, numbers with all their digits.
    QByteArray csv() const;

private:
    struct Cell {
        double value = 0;
        QString text;  // instead of the value
    };
    Cell cell(int row, int column) const;
    const Curve* curveOfRow(size_t& row) const;  // long form: makes row the index within the curve

    const std::vector<Curve>* curves_ = nullptr;
    QString x_label_;
    QString y_label_;
    bool shared_x_ = false;
    int rows_ = 0;
};

}  // namespace spd
