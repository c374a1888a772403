#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "core/protocol/answers/models.h"

namespace spd {

/// The models of the engine's machine, a row each. Qt::UserRole: for sorting; kSearchRole.
class ModelsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { model, source, family, size, dtype, state, columns };

    using QAbstractTableModel::QAbstractTableModel;

    void setModels(std::vector<protocol::ModelEntry> models);
    /// The one that the run uses: its row is marked. Empty: none.
    void setChosen(const QString& model);
    QString nameOf(int row) const;
    /// -1: none of them.
    int rowOf(const QString& model) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString text(const protocol::ModelEntry& entry, int column) const;
    QString searched(const protocol::ModelEntry& entry) const;

    std::vector<protocol::ModelEntry> models_;
    QString chosen_;
};

/// "LlamaForCausalLM" as "Llama".
QString familyOf(const std::string& architecture);
/// The last part of a path, else the name as it is.
QString shortModelName(const QString& model);

}  // namespace spd
