#include "views/model/models_model.h"

#include <QApplication>
#include <QFont>

#include "views/shared/icons.h"
#include "views/shared/numbers.h"
#include "views/shared/table/table_view.h"

namespace spd {

namespace {

QString sourceName(const std::string& source) {
    if (source == "workspace")
        return ModelsModel::tr("workspace");
    if (source == "hub")
        return ModelsModel::tr("HF cache");
    return ModelsModel::tr("recent folder");
}

QString tipOf(const protocol::ModelEntry& entry) {
    QString tip = QString::fromStdString(entry.folder);
    if (!entry.revision.empty())
        tip += ModelsModel::tr("\ncommit %1").arg(QString::fromStdString(entry.revision));
    if (!entry.problem.empty())
        tip += u'\n' + QString::fromStdString(entry.problem);
    return tip;
}

QFont boldFont() {
    QFont font = QApplication::font("QTableView");
    font.setWeight(QFont::DemiBold);
    return font;
}

}  // namespace

QString familyOf(const std::string& architecture) {
    QString family = QString::fromStdString(architecture);
    if (family.endsWith(QLatin1String("ForCausalLM")))
        family.chop(11);
    return family.isEmpty() ? kNoValue : family;
}

QString shortModelName(const QString& model) {
    if (!model.startsWith(u'/') && !model.startsWith(u'.') && !model.startsWith(u'~'))
        return model;
    const QStringList parts = model.split(u'/', Qt::SkipEmptyParts);
    return parts.isEmpty() ? model : parts.back();
}

void ModelsModel::setModels(std::vector<protocol::ModelEntry> models) {
    beginResetModel();
    models_ = std::move(models);
    endResetModel();
}

void ModelsModel::setChosen(const QString& wanted) {
    chosen_ = wanted;
    if (!models_.empty())
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columns - 1));
}

QString ModelsModel::nameOf(int row) const {
    const bool is_row = row >= 0 && row < rowCount();
    return is_row ? QString::fromStdString(models_[static_cast<size_t>(row)].model) : QString();
}

int ModelsModel::rowOf(const QString& wanted) const {
    for (int row = 0; row < rowCount(); ++row)
        if (nameOf(row) == wanted)
            return row;
    return -1;
}

int ModelsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(models_.size());
}

int ModelsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns);
}

QString ModelsModel::text(const protocol::ModelEntry& entry, int column) const {
    switch (column) {
        case model:
            return shortModelName(QString::fromStdString(entry.model));
        case source:
            return sourceName(entry.source);
        case family:
            return familyOf(entry.architecture);
        case size:
            return entry.bytes > 0 ? formatBytes(static_cast<double>(entry.bytes)) : kNoValue;
        case dtype:
            return entry.dtype.empty() ? kNoValue : QString::fromStdString(entry.dtype);
        default:
            return entry.complete ? tr("complete") : QString::fromStdString(entry.problem);
    }
}

QString ModelsModel::searched(const protocol::ModelEntry& entry) const {
    QString all = QString::fromStdString(entry.model);
    for (int column = 0; column < columns; ++column)
        all += u' ' + text(entry, column);
    return all.toCaseFolded();
}

QVariant ModelsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const protocol::ModelEntry& entry = models_[static_cast<size_t>(index.row())];
    switch (role) {
        case Qt::DisplayRole:
            return text(entry, index.column());
        case Qt::UserRole:
            return index.column() == size ? QVariant(static_cast<qlonglong>(entry.bytes))
                                          : QVariant(text(entry, index.column()).toCaseFolded());
        case kSearchRole:
            return searched(entry);
        case Qt::ToolTipRole:
            return tipOf(entry);
        case Qt::DecorationRole:
            return index.column() == state && !entry.complete ? QVariant(icon(QStringLiteral("warning")))
                                                              : QVariant();
        case Qt::TextAlignmentRole:
            return static_cast<int>((index.column() == size ? Qt::AlignRight : Qt::AlignLeft) |
                                    Qt::AlignVCenter);
        case Qt::FontRole:
            return !chosen_.isEmpty() && QString::fromStdString(entry.model) == chosen_ ? QVariant(boldFont())
                                                                                        : QVariant();
        default:
            return {};
    }
}

QVariant ModelsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columns)
        return {};
    struct Heading {
        const char* text;
        const char* tip;
    };
    static constexpr Heading headings[columns] = {
        {QT_TR_NOOP("model"),
         QT_TR_NOOP("What MODEL names it by on the command line; bold: the run uses it")},
        {QT_TR_NOOP("where"),
         QT_TR_NOOP("The workspace's models/, the Hugging Face cache, or a folder opened lately")},
        {QT_TR_NOOP("family"), QT_TR_NOOP("The architecture that config.json names")},
        {QT_TR_NOOP("size"), QT_TR_NOOP("Of the files of its weights")},
        {QT_TR_NOOP("dtype"), QT_TR_NOOP("Of the weights, as config.json says")},
        {QT_TR_NOOP("state"), QT_TR_NOOP("Whether all files are there, or what keeps it from loading")},
    };
    if (role == Qt::DisplayRole)
        return tr(headings[section].text);
    if (role == Qt::ToolTipRole)
        return tr(headings[section].tip);
    if (role == Qt::TextAlignmentRole && section == size)
        return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

}  // namespace spd
