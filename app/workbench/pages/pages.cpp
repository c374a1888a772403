#include "app/workbench/pages/pages.h"

#include <QUndoStack>

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/workbench.h"
#include "views/calibration/calibration_page.h"
#include "views/corpus/corpus_page.h"
#include "views/evaluation/evaluation_page.h"
#include "views/model/model_page.h"
#include "views/preview/preview_page.h"
#include "views/runs/runs_page.h"
#include "views/subspace/subspace_page.h"
#include "views/training/training_page.h"

namespace spd {

Pages::Pages(Workbench& workbench, QWidget* parent)
    : QStackedWidget(parent),
      model(new ModelPage),
      calibration(new CalibrationPage),
      subspace(new SubspacePage),
      preview(new PreviewPage),
      corpus(new CorpusPage),
      training(new TrainingPage),
      evaluation(new EvaluationPage),
      runs(new RunsPage) {
    // In the order of Stage.
    for (QWidget* page : std::initializer_list<QWidget*>{model, calibration, subspace, preview, corpus,
                                                         training, evaluation, runs})
        addWidget(page);
    connect(subspace, &SubspacePage::firstStepWanted, this,
            [this] { Q_EMIT pageWanted(Stage::calibration); });
    connect(calibration, &CalibrationPage::firstStepWanted, this,
            [this] { Q_EMIT pageWanted(Stage::model); });
    connect(preview, &PreviewPage::firstStepWanted, this, [this] { Q_EMIT pageWanted(Stage::model); });
    connect(corpus, &CorpusPage::firstStepWanted, this, [this] { Q_EMIT pageWanted(Stage::subspace); });
    connect(training, &TrainingPage::firstStepWanted, this, [this] { Q_EMIT pageWanted(Stage::corpus); });
    connectModelPage(*model, workbench);
    connectCalibrationPage(*calibration, workbench);
    connectSubspacePage(*subspace, workbench);
    connectPreviewPage(*preview, *subspace, workbench);
    connectCorpusPage(*corpus, *subspace, workbench);
    connectTrainingPage(*training, workbench);
    connectRunsPage(*runs, workbench);
}

void Pages::show(Stage stage) {
    setCurrentIndex(static_cast<int>(stage));
}

QUndoStack* Pages::undoStack(Stage stage) const {
    if (stage == Stage::calibration)
        return calibration->undoStack();
    return stage == Stage::subspace ? subspace->undoStack() : nullptr;
}

}  // namespace spd
