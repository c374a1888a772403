#pragma once

#include <QWidget>
#include <memory>
#include <vector>

#include "views/shared/plot/curve.h"
#include "views/subspace/picks/rank_choice.h"

class QComboBox;

namespace spd {

class Plot;

/// Singular values above; cumulative energy and split-half overlap with its chance level below; one x axis,
/// one rank cursor in both, which one drags. GUI thread.
class SpectrumPlots : public QWidget {
    Q_OBJECT

public:
    explicit SpectrumPlots(QWidget* parent = nullptr);

    /// @param shown  indices of the targets whose curves are drawn
    void setFigures(std::shared_ptr<const SubspaceFigures> figures, std::vector<size_t> shown);
    /// Another calibration's curves of the same targets, laid over dashed; null: none.
    void setControl(std::shared_ptr<const SubspaceFigures> control, const QString& name);
    /// @param rank  where the cursor stands   @param text  beside it
    void setRank(int64_t rank, const QString& text);

Q_SIGNALS:
    void rankDragged(int64_t rank);  ///< with each movement
    void rankReleased();

private:
    void rebuild();
    void addCurves(const SubspaceFigures& figures, const std::vector<size_t>& shown, bool is_control,
                   std::vector<Curve>& values, std::vector<Curve>& shares) const;
    void onMark(double x);

    Plot* values_;
    Plot* shares_;
    std::shared_ptr<const SubspaceFigures> figures_;
    std::shared_ptr<const SubspaceFigures> control_;
    QString control_name_;
    std::vector<size_t> shown_;
};

}  // namespace spd
