#pragma once

#include <QStackedWidget>
#include <array>

#include "views/frame/stage.h"

class QUndoStack;

namespace spd {

class CalibrationPage;
class CorpusPage;
class EvaluationPage;
class ModelPage;
class PreviewPage;
class RunsPage;
class SubspacePage;
class TrainingPage;
class Workbench;

/// All pages, one shown at a time. Each page gets what it shows and says what it wants through a function of
/// this folder, connectXPage(XPage&, Workbench&), which the constructor calls.
class Pages : public QStackedWidget {
    Q_OBJECT

public:
    /// @param workbench  must outlive this.
    explicit Pages(Workbench& workbench, QWidget* parent = nullptr);

    void show(Stage stage);
    Stage current() const { return static_cast<Stage>(currentIndex()); }
    /// @return nothing for a page without undo
    QUndoStack* undoStack(Stage stage) const;

    ModelPage* model;
    CalibrationPage* calibration;
    SubspacePage* subspace;
    PreviewPage* preview;
    CorpusPage* corpus;
    TrainingPage* training;
    EvaluationPage* evaluation;
    RunsPage* runs;

Q_SIGNALS:
    void pageWanted(spd::Stage stage);
};

}  // namespace spd
