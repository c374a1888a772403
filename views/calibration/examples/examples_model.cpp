#include "views/calibration/examples/examples_model.h"

#include <algorithm>

#include "views/shared/icons.h"
#include "views/shared/numbers.h"
#include "views/shared/table/table_view.h"
#include "views/shared/token_view/shown_token.h"

namespace spd {

namespace {

constexpr qsizetype kMostShown = 160;  // characters of a cell

/// How many characters both begin with, up to the end of a word; at most `limit`.
qsizetype sameLength(const QString& a, const QString& b, qsizetype limit) {
    qsizetype same = 0;
    limit = std::min({limit, a.size(), b.size()});
    while (same < limit && a[same] == b[same])
        ++same;
    while (same > 0 && !a[same - 1].isSpace())
        --same;
    return same;
}

QString idText(const nlohmann::ordered_json& id) {
    return QString::fromStdString(id.is_string() ? id.get<std::string>() : id.dump());
}

}  // namespace

void ExamplesModel::indexRow(size_t row) {
    const Example& example = examples_[row];
    const QString prompt_text = QString::fromStdString(example.row.prompt.substr(0, kMostShown));
    if (row == 0)
        first_prompt_ = prompt_text;
    if (row == 0 || !prompt_text.isEmpty())
        same_ =
            row == 0 ? 0 : sameLength(first_prompt_, prompt_text, row == 1 ? first_prompt_.size() : same_);
    rows_[example.row.id.dump()] = static_cast<int>(row);
    searched_.push_back((idText(example.row.id) + u' ' + QString::fromStdString(example.row.prompt) + u' ' +
                         QString::fromStdString(example.row.completion) + u' ' +
                         QString::fromStdString(example.row.problem))
                            .toCaseFolded());
}

void ExamplesModel::setExamples(std::vector<Example> examples) {
    beginResetModel();
    examples_ = std::move(examples);
    searched_.clear();
    rows_.clear();
    for (size_t row = 0; row < examples_.size(); ++row)
        indexRow(row);
    endResetModel();
}

void ExamplesModel::append(std::vector<Example> examples) {
    if (examples.empty())
        return;
    const int first = rowCount();
    beginInsertRows({}, first, first + static_cast<int>(examples.size()) - 1);
    for (Example& example : examples) {
        examples_.push_back(std::move(example));
        indexRow(examples_.size() - 1);
    }
    endInsertRows();
}

void ExamplesModel::setChoices(const std::vector<ExampleCommand::Change>& changes, bool after) {
    int first = rowCount(), last = -1;
    for (const ExampleCommand::Change& change : changes) {
        examples_[static_cast<size_t>(change.row)].choice = after ? change.after : change.before;
        first = std::min(first, change.row);
        last = std::max(last, change.row);
    }
    if (last >= 0)
        Q_EMIT dataChanged(index(first, 0), index(last, columns - 1));
}

void ExamplesModel::setMeasured(const nlohmann::ordered_json& of, double loss_value, double gradient_norm) {
    const auto found = rows_.find(of.dump());
    if (found == rows_.end())
        return;
    Example& example = examples_[static_cast<size_t>(found->second)];
    example.loss = loss_value;
    example.gradient_norm = gradient_norm;
    Q_EMIT dataChanged(index(found->second, loss), index(found->second, gradient));
}

void ExamplesModel::clearMeasured() {
    for (Example& example : examples_)
        example.loss = example.gradient_norm = std::numeric_limits<double>::quiet_NaN();
    if (!examples_.empty())
        Q_EMIT dataChanged(index(0, loss), index(rowCount() - 1, gradient));
}

int ExamplesModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(examples_.size());
}

int ExamplesModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns);
}

QString ExamplesModel::text(const Example& example, int column) const {
    const auto amount = [](double value) { return formatNumber(value); };
    switch (column) {
        case id:
            return idText(example.row.id);
        case prompt:
            return readableText(
                QString::fromStdString(example.row.prompt.substr(0, 4 * kMostShown)).mid(same_, kMostShown));
        case span:
            return example.usable()
                       ? readableText(spanText(example).left(kMostShown))
                       : (example.row.problem.empty() ? tr("no span")
                                                      : QString::fromStdString(example.row.problem));
        case targets:
            return example.usable() ? formatCount(std::ssize(example.choice.span.targets)) : kNoValue;
        case tokens:
            return example.row.ids.empty() ? kNoValue : formatCount(std::ssize(example.row.ids));
        case loss:
            return amount(example.loss);
        default:
            return amount(example.gradient_norm);
    }
}

QVariant ExamplesModel::number(const Example& example, int column) const {
    switch (column) {
        case targets:
            return static_cast<qlonglong>(example.choice.span.targets.size());
        case tokens:
            return static_cast<qlonglong>(example.row.ids.size());
        case loss:
            return example.loss;
        case gradient:
            return example.gradient_norm;
        default:
            return text(example, column).toCaseFolded();
    }
}

QVariant ExamplesModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const auto row = static_cast<size_t>(index.row());
    const Example& example = examples_[row];
    switch (role) {
        case Qt::DisplayRole:
            return text(example, index.column());
        case Qt::UserRole:
            return number(example, index.column());
        case kSearchRole:
            return QString(searched_[row] + (example.usable() ? QString() : QStringLiteral(" #nospan")) +
                           (example.edited() ? QStringLiteral(" #edited") : QString()) +
                           (example.choice.picked ? QString() : QStringLiteral(" #left-out")));
        case Qt::CheckStateRole:
            if (index.column() == id && example.usable())
                return example.choice.picked ? Qt::Checked : Qt::Unchecked;
            return {};
        case Qt::DecorationRole:
            return index.column() == span && !example.usable() ? QVariant(icon(QStringLiteral("warning")))
                                                               : QVariant();
        case Qt::ToolTipRole:
            return index.column() <= span ? QVariant(text(example, index.column())) : QVariant();
        case Qt::TextAlignmentRole:
            return static_cast<int>((index.column() <= span ? Qt::AlignLeft : Qt::AlignRight) |
                                    Qt::AlignVCenter);
        default:
            return {};
    }
}

bool ExamplesModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::CheckStateRole || !index.isValid() || index.column() != id || !at(index.row()).usable())
        return false;
    Q_EMIT pickWanted(index.row(), value.toInt() == Qt::Checked);
    return true;
}

Qt::ItemFlags ExamplesModel::flags(const QModelIndex& index) const {
    const Qt::ItemFlags usual = QAbstractTableModel::flags(index);
    const bool ticks = index.isValid() && index.column() == id && at(index.row()).usable();
    return ticks ? usual | Qt::ItemIsUserCheckable : usual;
}

QVariant ExamplesModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columns)
        return {};
    struct Heading {
        const char* text;
        const char* tip;
    };
    static constexpr Heading headings[columns] = {
        {QT_TR_NOOP("example"), QT_TR_NOOP("set/split/row; the tick: calibrated on (Space)")},
        {QT_TR_NOOP("prompt"), QT_TR_NOOP("Where it begins")},
        {QT_TR_NOOP("span"), QT_TR_NOOP("What the correctness span says (paper, S)")},
        {QT_TR_NOOP("|S|"), QT_TR_NOOP("Tokens of the correctness span: the loss is their mean")},
        {QT_TR_NOOP("tokens"), QT_TR_NOOP("Of prompt and completion")},
        {QT_TR_NOOP("loss"), QT_TR_NOOP("Mean of -log p over the positions that count, nats; from a run")},
        {QT_TR_NOOP("grad. norm"),
         QT_TR_NOOP("Frobenius norm of the K and V gradients of all measured layers together; from a run")},
    };
    if (role == Qt::DisplayRole)
        return tr(headings[section].text);
    if (role == Qt::ToolTipRole)
        return tr(headings[section].tip);
    if (role == Qt::TextAlignmentRole && section > span)
        return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

}  // namespace spd
