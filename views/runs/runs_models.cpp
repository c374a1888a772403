#include "views/runs/runs_models.h"

#include "views/shared/numbers.h"

namespace spd {

void RunsModel::setRows(std::vector<RunRow> rows) {
    beginResetModel();
    rows_ = std::move(rows);
    endResetModel();
}

int RunsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int RunsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns);
}

QVariant RunsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const RunRow& row = rows_[static_cast<size_t>(index.row())];
    if (role == Qt::ToolTipRole)
        return row.error.isEmpty() ? QStringLiteral("%1\n%2").arg(row.id, row.folder)
                                   : QStringLiteral("%1\n%2\n%3").arg(row.id, row.folder, row.error);
    if (role == Qt::UserRole && index.column() == started)
        return static_cast<qlonglong>(row.start_ms);
    if (role == Qt::UserRole && index.column() == took)
        return row.seconds;
    if (role != Qt::DisplayRole && role != Qt::UserRole)
        return {};
    switch (index.column()) {
        case name:
            return row.name;
        case status:
            return row.deleted ? tr("in the trash") : row.status.toLower();
        case method:
            return row.method;
        case seed:
            return row.seed ? QVariant(static_cast<qlonglong>(*row.seed)) : QVariant();
        case started:
            return formatTime(row.start_ms);
        case took:
            return row.seconds > 0 ? formatDuration(row.seconds) : QString();
        case tags:
            return row.tags;
        case note:
            return row.note;
        default:
            return row.experiment;
    }
}

QVariant RunsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return QAbstractTableModel::headerData(section, orientation, role);
    static constexpr const char* headings[columns] = {
        QT_TR_NOOP("run"),  QT_TR_NOOP("state"),   QT_TR_NOOP("method"),
        QT_TR_NOOP("seed"), QT_TR_NOOP("started"), QT_TR_NOOP("took"),
        QT_TR_NOOP("tags"), QT_TR_NOOP("note"),    QT_TR_NOOP("experiment")};
    return tr(headings[section]);
}

void DifferencesModel::setDifferences(RunDifferences differences) {
    beginResetModel();
    differences_ = std::move(differences);
    endResetModel();
}

int DifferencesModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(differences_.lines.size());
}

int DifferencesModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() || differences_.runs.isEmpty() ? 0
                                                           : static_cast<int>(differences_.runs.size()) + 1;
}

QVariant DifferencesModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || (role != Qt::DisplayRole && role != Qt::ToolTipRole))
        return {};
    const RunDifferences::Line& line = differences_.lines[static_cast<size_t>(index.row())];
    if (index.column() == 0)
        return role == Qt::ToolTipRole ? QStringLiteral("%1 %2").arg(line.kind, line.key) : line.key;
    const QString& value = line.values[index.column() - 1];
    return value.isEmpty() && role == Qt::DisplayRole ? kNoValue : value;
}

QVariant DifferencesModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return QAbstractTableModel::headerData(section, orientation, role);
    return section == 0 ? tr("differs") : differences_.runs[section - 1];
}

}  // namespace spd
