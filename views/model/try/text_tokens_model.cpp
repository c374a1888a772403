#include "views/model/try/text_tokens_model.h"

#include <QFontDatabase>

#include "views/shared/table/table_view.h"
#include "views/shared/token_view/shown_token.h"

namespace spd {

void TextTokensModel::setText(protocol::TokenizedText text) {
    beginResetModel();
    text_ = std::move(text);
    endResetModel();
}

int TextTokensModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(text_.tokens.ids.size());
}

int TextTokensModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns);
}

qlonglong TextTokensModel::number(size_t row, int column) const {
    switch (column) {
        case id:
            return text_.tokens.ids[row];
        case from:
            return text_.ranges[row].begin;
        case to:
            return text_.ranges[row].end;
        default:
            return static_cast<qlonglong>(row);
    }
}

QVariant TextTokensModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const auto row = static_cast<size_t>(index.row());
    const bool is_text = index.column() == token;
    switch (role) {
        case Qt::DisplayRole:
            return is_text ? QVariant(readableText(QString::fromStdString(text_.tokens.texts[row])))
                           : QVariant(QString::number(number(row, index.column())));
        case Qt::UserRole:
            return is_text ? QVariant(QString::fromStdString(text_.tokens.texts[row]))
                           : QVariant(number(row, index.column()));
        case kSearchRole:
            return QStringLiteral("%1 %2")
                .arg(text_.tokens.ids[row])
                .arg(QString::fromStdString(text_.tokens.texts[row]))
                .toCaseFolded();
        case Qt::FontRole:
            return is_text ? QVariant(QFontDatabase::systemFont(QFontDatabase::FixedFont)) : QVariant();
        case Qt::TextAlignmentRole:
            return static_cast<int>((is_text ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        default:
            return {};
    }
}

QVariant TextTokensModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columns)
        return {};
    static constexpr const char* headings[columns] = {QT_TR_NOOP("t"), QT_TR_NOOP("token"), QT_TR_NOOP("id"),
                                                      QT_TR_NOOP("from"), QT_TR_NOOP("to")};
    static constexpr const char* tips[columns] = {
        QT_TR_NOOP("Position, from 0"), QT_TR_NOOP("What it adds to the text"),
        QT_TR_NOOP("Row of the vocabulary"), QT_TR_NOOP("Its first character in the text, from 0"),
        QT_TR_NOOP("The character behind its last one")};
    if (role == Qt::DisplayRole)
        return tr(headings[section]);
    if (role == Qt::ToolTipRole)
        return tr(tips[section]);
    if (role == Qt::TextAlignmentRole && section != token)
        return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

}  // namespace spd
