#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "core/protocol/answers/inspection.h"

namespace spd {

/// A line of the load report.
struct ReportRow {
    enum class Kind { refusal, note, odd_tensor, fact, tensor };
    Kind kind = Kind::fact;
    QString state;  ///< "refused", "note", "missing", "unused", "found"; a fact's is "fact"
    QString name;
    QString text;
    QString shape = {};
    QString type = {};
    QString searched = {};  ///< all of it, case-folded
};

/// What is not as it should be first: refusals, notes, tensors that are missing, of another shape or type, or
/// unused; then what the model is; then the tensors that were found.
std::vector<ReportRow> reportRows(const protocol::ModelInspection& found);

/// "Llama, 30 layers, 135 M parameters; 272 tensors found, nothing odd."
QString reportSummary(const protocol::ModelInspection& found);

class LoadReportModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { state, name, type, shape, text, columns };

    using QAbstractTableModel::QAbstractTableModel;
    void setRows(std::vector<ReportRow> rows);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<ReportRow> rows_;
};

}  // namespace spd
