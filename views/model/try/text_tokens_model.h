#pragma once

#include <QAbstractTableModel>

#include "core/protocol/answers/token_texts.h"

namespace spd {

/// Tokens of a text, a row each: position, token, id, first character and the one behind the last.
class TextTokensModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { position, token, id, from, to, columns };

    using QAbstractTableModel::QAbstractTableModel;
    void setText(protocol::TokenizedText text);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    qlonglong number(size_t row, int column) const;

    protocol::TokenizedText text_;
};

}  // namespace spd
