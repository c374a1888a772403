#pragma once

#include <QAbstractTableModel>
#include <memory>
#include <vector>

#include "views/subspace/picks/rank_choice.h"

namespace spd {

/// The picked targets at the picked ranks, a row each: target, s1, rank, kept energy, gap, overlap, chance,
/// effective and stable rank, arbitrary directions. The rank can be edited. Qt::UserRole: the number for
/// sorting.
class TargetsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        target,
        largest,
        rank,
        energy,
        gap,
        overlap,
        chance,
        effective,
        stable,
        arbitrary,
        columns
    };

    using QAbstractTableModel::QAbstractTableModel;

    /// @param rows  indices of the targets that are shown, in their order.
    void setFigures(std::shared_ptr<const SubspaceFigures> figures, std::vector<size_t> rows);
    void setChoice(const RankChoice& choice);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    void rankWanted(size_t target, int64_t rank);  ///< by hand

private:
    double number(size_t target, const RankFigures& figures, int column) const;
    QString text(size_t target, const RankFigures& figures, int column) const;

    std::shared_ptr<const SubspaceFigures> figures_;
    std::vector<size_t> rows_;
    RankChoice choice_;
};

/// "23 K", with a head "23 K head 1".
QString targetName(const protocol::TargetCurves& target, bool per_head);

}  // namespace spd
