#pragma once

#include <QAbstractTableModel>

#include "views/corpus/corpus_rows.h"

namespace spd {

/// The completions, a row each, in the order in which they came. Qt::UserRole: numbers for sorting.
class CorpusModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { id, tokens, ended, remarks, completion, columns };

    using QAbstractTableModel::QAbstractTableModel;

    /// What a running job adds. @throws Error file_format: no record; those before it are shown
    void append(const std::vector<nlohmann::ordered_json>& records);
    void clear();
    const CorpusRows& content() const { return content_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    CorpusRows content_;
};

}  // namespace spd
