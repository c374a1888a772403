#pragma once

#include <QUndoStack>
#include <QWidget>
#include <memory>

#include "views/subspace/picks/projection_pick.h"

class QComboBox;
class QLabel;
class QSplitter;
class QStackedLayout;
class QTableView;

namespace spd {

class EmptyPage;
class HeatMap;
class RankBar;
class SpectrumPlots;
class TargetsModel;

/// See the spectra, pick layers and rank. It gets curves and tells what was picked; every number under the
/// cursor is computed here from the curves. GUI thread.
class SubspacePage : public QWidget {
    Q_OBJECT

public:
    explicit SubspacePage(QWidget* parent = nullptr);

    /// Shows a calibration. The picks stay where they still fit, else they become the defaults (last_mid,
    /// half).
    void setCurves(protocol::SubspaceCurves curves);
    /// Nothing is calibrated: the page says what to do.
    void clear();
    /// A second calibration laid over the spectra (full-sequence loss, another run).
    void setControl(protocol::SubspaceCurves curves, const QString& name);
    void clearControl();

    bool hasCurves() const { return figures_ != nullptr; }
    const ProjectionPick& pick() const { return pick_; }
    /// Shows it without a step of undo: what is restored or comes from another run.
    void setPick(const ProjectionPick& pick);
    /// "96 of 192", "41 to 77 of 192 (energy:0.99)": what is used of the picked targets; empty: none is
    /// picked.
    QString rankInWords() const;
    /// As --rank-rule takes it: the rule, or each target's rank where one was set by hand.
    std::string rankRule() const;
    QUndoStack* undoStack() { return &undo_; }

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
    void pickChanged(const spd::ProjectionPick& pick);
    void pickSettled();  ///< a drag has ended: exact figures may be asked for

private:
    QWidget* makeLayers();
    QWidget* makeTargets();
    QWidget* makeHeader();
    void wire();
    void change(ProjectionPick pick, const QString& text, int drag = 0);
    void apply(const ProjectionPick& pick);
    void showLayers();
    void showRanks();
    std::vector<size_t> pickedTargets() const;
    void toggleLayer(int64_t layer);
    void dragRank(int64_t rank);

    std::shared_ptr<const SubspaceFigures> figures_;
    ProjectionPick pick_;
    QUndoStack undo_;
    int drag_ = 1;  // number of the drag at work

    QStackedLayout* stack_;
    EmptyPage* empty_;
    QLabel* message_;
    QComboBox* measure_;
    QComboBox* preset_;
    QComboBox* project_;
    HeatMap* map_;
    SpectrumPlots* plots_;
    RankBar* rank_bar_;
    TargetsModel* targets_;
    QTableView* table_;
};

}  // namespace spd
