#include "views/corpus/corpus_model.h"

#include "core/base/error.h"

namespace spd {

namespace {

/// The beginning of a text on one line.
QString firstWords(const QString& text) {
    QString line = text.left(160);
    return line.replace(u'\n', QStringLiteral(" \u21B5 ")).trimmed();
}

QString idText(const nlohmann::ordered_json& record, int row) {
    if (!record.contains("id"))
        return QString::number(row);
    const nlohmann::ordered_json& id = record["id"];
    return QString::fromStdString(id.is_string() ? id.get<std::string>() : id.dump());
}

}  // namespace

void CorpusModel::append(const std::vector<nlohmann::ordered_json>& records) {
    const int first = rowCount();
    std::vector<CorpusRecord> read;
    std::exception_ptr refused;
    try {
        for (const nlohmann::ordered_json& record : records)
            read.push_back(readCorpusRecord(first + std::ssize(read), record));
    } catch (const Error&) {
        refused = std::current_exception();
    }
    if (!read.empty()) {
        beginInsertRows({}, first, first + static_cast<int>(read.size()) - 1);
        for (size_t i = 0; i < read.size(); ++i)
            content_.add(read[i], idText(records[i], first + static_cast<int>(i)));
        endInsertRows();
    }
    if (refused)
        std::rethrow_exception(refused);
}

void CorpusModel::clear() {
    beginResetModel();
    content_.clear();
    endResetModel();
}

int CorpusModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(content_.rows().size());
}

int CorpusModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns);
}

QVariant CorpusModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const CorpusRow& row = content_.rows()[static_cast<size_t>(index.row())];
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((index.column() == tokens ? Qt::AlignRight : Qt::AlignLeft) |
                                Qt::AlignVCenter);
    if (role == Qt::UserRole && index.column() == tokens)
        return static_cast<qlonglong>(row.tokens);
    if (role != Qt::DisplayRole && role != Qt::UserRole)
        return {};
    switch (index.column()) {
        case id:
            return row.id;
        case tokens:
            return QString::number(row.tokens);
        case ended:
            return row.stopped ? tr("stop") : tr("length");
        case remarks:
            return row.remarks();
        default:
            return firstWords(row.completion);
    }
}

QVariant CorpusModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal)
        return QAbstractTableModel::headerData(section, orientation, role);
    struct Heading {
        const char* text;
        const char* tip;
    };
    static constexpr Heading headings[columns] = {
        {QT_TR_NOOP("id"), QT_TR_NOOP("Of the prompt")},
        {QT_TR_NOOP("tokens"), QT_TR_NOOP("Of the completion, with the EOS that ended it")},
        {QT_TR_NOOP("ended"), QT_TR_NOOP("stop: by itself; length: at max_new_tokens")},
        {QT_TR_NOOP("remarks"),
         QT_TR_NOOP("empty, one line, loop (the end repeats itself), duplicate of an earlier one")},
        {QT_TR_NOOP("completion"), QT_TR_NOOP("Its beginning; the whole text stands below")},
    };
    if (role == Qt::DisplayRole)
        return tr(headings[section].text);
    return role == Qt::ToolTipRole ? tr(headings[section].tip) : QVariant();
}

}  // namespace spd
