#include "views/calibration/calibration_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

CalibrationPage::CalibrationPage(QWidget* parent) : QWidget(parent) {
    auto* empty = new EmptyPage(
        {.title = tr("Calibration"),
         .purpose =
             tr("A few solved examples tell which directions of the K and V spaces carry the answers. The "
                "engine runs them forwards and backwards and sums the gradients over each correctness span."),
         .first_step = tr("Choose a model first, then a task and the number of examples (50 in the paper)."),
         .button = {}});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &CalibrationPage::firstStepWanted);
}

}  // namespace spd
