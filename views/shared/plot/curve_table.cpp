#include "views/shared/plot/curve_table.h"

#include <algorithm>
#include <limits>

#include "views/shared/numbers.h"

namespace spd {

namespace {

constexpr size_t kMaxRows = std::numeric_limits<int>::max();

QString quoted(const QString& text) {
    if (!text.contains(u',') && !text.contains(u'"') && !text.contains(u'\n'))
        return text;
    return QStringLiteral("\"%1\"").arg(QString(text).replace(u'"', QStringLiteral("\"\"")));
}

}  // namespace

void CurveTable::setCurves(const std::vector<Curve>* curves, const QString& x_label, const QString& y_label) {
    beginResetModel();
    curves_ = curves;
    x_label_ = x_label;
    y_label_ = y_label;
    size_t all = 0;
    shared_x_ = true;
    for (const Curve& curve : *curves) {
        all += curve.x.size();
        shared_x_ = shared_x_ && curve.x == curves->front().x;
    }
    const size_t rows = !shared_x_ ? all : curves->empty() ? 0 : curves->front().x.size();
    rows_ = static_cast<int>(std::min(rows, kMaxRows));
    endResetModel();
}

int CurveTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : rows_;
}

int CurveTable::columnCount(const QModelIndex& parent) const {
    if (parent.isValid() || curves_ == nullptr)
        return 0;
    return shared_x_ ? 1 + static_cast<int>(curves_->size()) : 3;
}

const Curve* CurveTable::curveOfRow(size_t& row) const {
    for (const Curve& curve : *curves_) {
        if (row < curve.x.size())
            return &curve;
        row -= curve.x.size();
    }
    return nullptr;
}

CurveTable::Cell CurveTable::cell(int row, int column) const {
    size_t at = static_cast<size_t>(row);
    if (shared_x_) {
        if (column == 0)
            return {curves_->front().x[at], {}};
        return {(*curves_)[static_cast<size_t>(column - 1)].y[at], {}};
    }
    const Curve* curve = curveOfRow(at);
    if (curve == nullptr)
        return {};
    if (column == 0)
        return {0, curve->name};
    return {column == 1 ? curve->x[at] : curve->y[at], {}};
}

QVariant CurveTable::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    const Cell value = cell(index.row(), index.column());
    if (!value.text.isEmpty())
        return value.text;
    return role == Qt::DisplayRole ? formatNumber(value.value, 5) : QString::number(value.value, 'g', 17);
}

QVariant CurveTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole || curves_ == nullptr || section < 0)
        return {};
    if (orientation == Qt::Vertical)
        return section + 1;
    if (!shared_x_)
        return section == 0 ? tr("curve") : section == 1 ? x_label_ : y_label_;
    if (section == 0)
        return x_label_;
    return section <= static_cast<int>(curves_->size()) ? (*curves_)[static_cast<size_t>(section - 1)].name
                                                        : QString();
}

QByteArray CurveTable::csv() const {
    QByteArray text;
    for (int column = 0; column < columnCount(); ++column)
        text += (column > 0 ? "," : "") +
                quoted(headerData(column, Qt::Horizontal, Qt::DisplayRole).toString()).toUtf8();
    text += '\n';
    for (int row = 0; row < rows_; ++row) {
        for (int column = 0; column < columnCount(); ++column) {
            const Cell value = cell(row, column);
            if (column > 0)
                text += ',';
            text +=
                value.text.isEmpty() ? QByteArray::number(value.value, 'g', 17) : quoted(value.text).toUtf8();
        }
        text += '\n';
    }
    return text;
}

}  // namespace spd
