#include "views/evaluation/evaluation_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

EvaluationPage::EvaluationPage(QWidget* parent) : QWidget(parent) {
    auto* empty = new EmptyPage(
        {.title = tr("Evaluation"),
         .purpose = tr("Scores of base, PSR, SSD and SPD on the benchmarks, each with its interval, and the "
                       "examples in which they differ."),
         .first_step =
             tr("This page is not there yet. Until then `spd run` scores GSM8K and SVAMP without a window."),
         .button = {}});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &EvaluationPage::firstStepWanted);
}

}  // namespace spd
