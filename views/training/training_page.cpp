#include "views/training/training_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

TrainingPage::TrainingPage(QWidget* parent) : QWidget(parent) {
    auto* empty = new EmptyPage(
        {.title = tr("Training"),
         .purpose = tr("A LoRA adapter learns the self-generated corpus; the projection is gone while it "
                       "learns. Loss, learning rate and gradient norm appear here as they come."),
         .first_step = tr("Generate a corpus first, or open one."),
         .button = {}});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &TrainingPage::firstStepWanted);
}

}  // namespace spd
