#include "views/model/load_report_model.h"

#include <QStringBuilder>
#include <algorithm>

#include "views/model/models_model.h"
#include "views/shared/icons.h"
#include "views/shared/numbers.h"
#include "views/shared/table/table_view.h"

namespace spd {

namespace {

QString shapeText(const std::vector<int64_t>& shape) {
    QStringList sizes;
    for (const int64_t size : shape)
        sizes.push_back(QString::number(size));
    return sizes.join(QStringLiteral(" \u00d7 "));
}

QString stateName(const std::string& state) {
    return QString::fromStdString(state).replace(u'_', u' ');
}

ReportRow rowOf(const protocol::InspectedTensor& tensor) {
    const bool odd = tensor.state != "found";
    QString text = QString::fromStdString(tensor.file);
    if (odd && !tensor.expected_shape.empty() && tensor.expected_shape != tensor.shape)
        text += (text.isEmpty() ? QString() : QStringLiteral(", ")) +
                LoadReportModel::tr("expected %1").arg(shapeText(tensor.expected_shape));
    return {.kind = odd ? ReportRow::Kind::odd_tensor : ReportRow::Kind::tensor,
            .state = stateName(tensor.state),
            .name = QString::fromStdString(tensor.name),
            .text = text,
            .shape = shapeText(tensor.shape),
            .type = QString::fromStdString(tensor.dtype)};
}

QString parametersText(int64_t parameters) {
    const auto count = static_cast<double>(parameters);
    return count >= 1e9 ? LoadReportModel::tr("%1 billion").arg(formatNumber(count / 1e9))
                        : LoadReportModel::tr("%1 million").arg(formatNumber(count / 1e6));
}

}  // namespace

std::vector<ReportRow> reportRows(const protocol::ModelInspection& found) {
    std::vector<ReportRow> rows;
    for (const std::string& refusal : found.refusals)
        rows.push_back({.kind = ReportRow::Kind::refusal,
                        .state = LoadReportModel::tr("refused"),
                        .name = {},
                        .text = QString::fromStdString(refusal)});
    for (const std::string& oddity : found.oddities)
        rows.push_back({.kind = ReportRow::Kind::note,
                        .state = LoadReportModel::tr("note"),
                        .name = {},
                        .text = QString::fromStdString(oddity)});
    std::vector<ReportRow> tensors;
    for (const protocol::InspectedTensor& tensor : found.tensors)
        (tensor.state == "found" ? tensors : rows).push_back(rowOf(tensor));
    for (const auto& [key, words] : found.facts)
        rows.push_back({.kind = ReportRow::Kind::fact,
                        .state = LoadReportModel::tr("fact"),
                        .name = QString::fromStdString(key),
                        .text = QString::fromStdString(words)});
    rows.insert(rows.end(), std::make_move_iterator(tensors.begin()), std::make_move_iterator(tensors.end()));
    for (ReportRow& row : rows)
        row.searched =
            QString(row.state % u' ' % row.name % u' ' % row.type % u' ' % row.shape % u' ' % row.text)
                .toCaseFolded();
    return rows;
}

QString reportSummary(const protocol::ModelInspection& found) {
    if (!found.loads)
        return LoadReportModel::tr("Cannot be loaded: %1")
            .arg(found.refusals.empty() ? LoadReportModel::tr("no reason is given")
                                        : QString::fromStdString(found.refusals.front()));
    const auto odd =
        std::count_if(found.tensors.begin(), found.tensors.end(),
                      [](const protocol::InspectedTensor& tensor) { return tensor.state != "found"; });
    QString text =
        LoadReportModel::tr("%1, %2 layers, %3 parameters, weights %4. ")
            .arg(familyOf(found.architecture))
            .arg(found.num_hidden_layers)
            .arg(parametersText(found.parameters),
                 found.memory ? formatBytes(static_cast<double>(found.memory->weights)) : kNoValue);
    text += LoadReportModel::tr("%1 tensors found").arg(formatCount(std::ssize(found.tensors) - odd));
    if (odd == 0 && found.oddities.empty())
        return text + LoadReportModel::tr(", nothing odd.");
    if (odd > 0)
        text += LoadReportModel::tr(", %1 odd").arg(formatCount(odd));
    if (!found.oddities.empty())
        text += LoadReportModel::tr(", notes: %1").arg(found.oddities.size());
    return text + u'.';
}

void LoadReportModel::setRows(std::vector<ReportRow> rows) {
    beginResetModel();
    rows_ = std::move(rows);
    endResetModel();
}

int LoadReportModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int LoadReportModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns);
}

QVariant LoadReportModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const ReportRow& row = rows_[static_cast<size_t>(index.row())];
    const QString* const cells[columns] = {&row.state, &row.name, &row.type, &row.shape, &row.text};
    switch (role) {
        case Qt::DisplayRole:
            return *cells[index.column()];
        case Qt::ToolTipRole:
            return *cells[index.column()];
        case Qt::UserRole:
            return index.column() == state ? QVariant(static_cast<int>(row.kind))
                                           : QVariant(*cells[index.column()]);
        case kSearchRole:
            return row.searched;
        case Qt::DecorationRole:
            return index.column() == state && row.kind < ReportRow::Kind::fact
                       ? QVariant(icon(QStringLiteral("warning")))
                       : QVariant();
        default:
            return {};
    }
}

QVariant LoadReportModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columns)
        return {};
    struct Heading {
        const char* text;
        const char* tip;
    };
    static constexpr Heading headings[columns] = {
        {QT_TR_NOOP("state"), QT_TR_NOOP("What is odd comes first; then facts, then the tensors found")},
        {QT_TR_NOOP("name"), QT_TR_NOOP("Of the tensor or of the member of config.json")},
        {QT_TR_NOOP("type"), QT_TR_NOOP("Element type, as the file spells it")},
        {QT_TR_NOOP("shape"), QT_TR_NOOP("As it is stored: rows \u00d7 columns")},
        {QT_TR_NOOP("file or value"), QT_TR_NOOP("Where the tensor lies, or what the fact says")},
    };
    if (role == Qt::DisplayRole)
        return tr(headings[section].text);
    if (role == Qt::ToolTipRole)
        return tr(headings[section].tip);
    return {};
}

}  // namespace spd
