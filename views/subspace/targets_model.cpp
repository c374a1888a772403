#include "views/subspace/targets_model.h"

#include "views/shared/numbers.h"

namespace spd {

QString targetName(const protocol::TargetCurves& target, bool per_head) {
    const QString stream = target.target.stream == KvStream::k ? QStringLiteral("K") : QStringLiteral("V");
    const QString name = QStringLiteral("%1 %2").arg(target.target.layer).arg(stream);
    return per_head ? TargetsModel::tr("%1 head %2").arg(name).arg(target.head) : name;
}

void TargetsModel::setFigures(std::shared_ptr<const SubspaceFigures> figures, std::vector<size_t> rows) {
    beginResetModel();
    figures_ = std::move(figures);
    rows_ = std::move(rows);
    endResetModel();
}

void TargetsModel::setChoice(const RankChoice& choice) {
    choice_ = choice;
    if (!rows_.empty())
        Q_EMIT dataChanged(index(0, rank), index(rowCount() - 1, columns - 1));
}

int TargetsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int TargetsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns);
}

double TargetsModel::number(size_t target_index, const RankFigures& figures, int column) const {
    const protocol::TargetCurves& curves = figures_->target(target_index);
    switch (column) {
        case target:
            return static_cast<double>(target_index);
        case largest:
            return curves.singular_values.front();
        case rank:
            return static_cast<double>(figures.rank);
        case energy:
            return figures.energy;
        case gap:
            return figures.gap;
        case overlap:
            return figures.overlap;
        case chance:
            return figures.chance;
        case effective:
            return curves.effective_rank;
        case stable:
            return curves.stable_rank;
        default:
            return static_cast<double>(figures.arbitrary);
    }
}

QString TargetsModel::text(size_t target_index, const RankFigures& figures, int column) const {
    const protocol::TargetCurves& curves = figures_->target(target_index);
    const double value = number(target_index, figures, column);
    switch (column) {
        case target:
            return targetName(curves, figures_->curves().per_head);
        case rank: {
            const QString of = tr("%1 of %2").arg(figures.rank).arg(curves.singular_values.size());
            return isClipped(choice_, curves) ? tr("%1 (clipped)").arg(of) : of;
        }
        case energy:
            return formatNumber(value, 4);
        case gap:
            return formatNumber(value, 4);
        case arbitrary:
            return figures.arbitrary == 0 ? kNoValue : formatCount(figures.arbitrary);
        default:
            return formatNumber(value);
    }
}

QVariant TargetsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || !figures_)
        return {};
    const size_t target_index = rows_[static_cast<size_t>(index.row())];
    const RankFigures figures = figures_->at(target_index, rankOf(choice_, figures_->target(target_index)));
    switch (role) {
        case Qt::DisplayRole:
            return text(target_index, figures, index.column());
        case Qt::EditRole:
            return index.column() == rank ? QVariant(static_cast<qlonglong>(figures.rank))
                                          : QVariant(text(target_index, figures, index.column()));
        case Qt::UserRole:
            return number(target_index, figures, index.column());
        case Qt::TextAlignmentRole:
            return static_cast<int>((index.column() == target ? Qt::AlignLeft : Qt::AlignRight) |
                                    Qt::AlignVCenter);
        default:
            return {};
    }
}

bool TargetsModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    bool is_number = false;
    const qlonglong wanted = value.toLongLong(&is_number);
    if (role != Qt::EditRole || !index.isValid() || index.column() != rank || !is_number || wanted < 1)
        return false;
    Q_EMIT rankWanted(rows_[static_cast<size_t>(index.row())], wanted);
    return true;
}

Qt::ItemFlags TargetsModel::flags(const QModelIndex& index) const {
    const Qt::ItemFlags usual = QAbstractTableModel::flags(index);
    // With a basis a head the command line knows no rank for one of them.
    const bool can_edit =
        index.isValid() && index.column() == rank && figures_ && !figures_->curves().per_head;
    return can_edit ? usual | Qt::ItemIsEditable : usual;
}

QVariant TargetsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal)
        return role == Qt::DisplayRole ? QVariant()
                                       : QAbstractTableModel::headerData(section, orientation, role);
    struct Heading {
        const char* text;
        const char* tip;
    };
    static constexpr Heading headings[columns] = {
        {QT_TR_NOOP("target"), QT_TR_NOOP("Layer (from 0) and stream")},
        {QT_TR_NOOP("s1"), QT_TR_NOOP("Largest singular value of the gradient matrix (paper, Eq. 9)")},
        {QT_TR_NOOP("rank r"),
         QT_TR_NOOP("Directions that the projection keeps; edit it to set this target by hand. "
                    "Half of d by default (paper, Table 7)")},
        {QT_TR_NOOP("kept energy"),
         QT_TR_NOOP("Sum of the first r squared singular values over all of them")},
        {QT_TR_NOOP("gap at cut"),
         QT_TR_NOOP("s(r) / s(r+1): near 1 the cut falls between directions that the data "
                    "hardly tells apart")},
        {QT_TR_NOOP("split-half"),
         QT_TR_NOOP("Overlap of the subspaces of the even and of the odd examples, 1 when "
                    "they agree; to be compared with chance")},
        {QT_TR_NOOP("chance"), QT_TR_NOOP("r / d: the overlap of two random subspaces of this rank")},
        {QT_TR_NOOP("eff. rank"), QT_TR_NOOP("exp of the entropy of s / sum s")},
        {QT_TR_NOOP("stable rank"), QT_TR_NOOP("sum of s squared over the largest s squared")},
        {QT_TR_NOOP("arbitrary"),
         QT_TR_NOOP("Kept directions past the numeric rank: the data says nothing about them")},
    };
    if (role == Qt::DisplayRole)
        return tr(headings[section].text);
    if (role == Qt::ToolTipRole)
        return tr(headings[section].tip);
    return {};
}

}  // namespace spd
