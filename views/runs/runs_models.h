#pragma once

#include <QAbstractTableModel>

#include "views/runs/run_rows.h"

namespace spd {

/// The runs of the database, a row each. Qt::UserRole: what is sorted by.
class RunsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { name, status, method, seed, started, took, tags, note, experiment, columns };

    using QAbstractTableModel::QAbstractTableModel;
    void setRows(std::vector<RunRow> rows);
    const std::vector<RunRow>& rows() const { return rows_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<RunRow> rows_;
};

/// What differs between the selected runs: keys down, runs across.
class DifferencesModel : public QAbstractTableModel {
    Q_OBJECT

public:
    using QAbstractTableModel::QAbstractTableModel;
    void setDifferences(RunDifferences differences);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    RunDifferences differences_;
};

}  // namespace spd
