#include "views/model/model_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

ModelPage::ModelPage(QWidget* parent) : QWidget(parent) {
    auto* empty =
        new EmptyPage({.title = tr("Model"),
                       .purpose = tr("A language model to study: a Hugging Face checkpoint folder, a model "
                                     "of the Hugging Face cache, or one in the workspace. This page shows "
                                     "what is in it and whether it fits into memory."),
                       .first_step = tr("Connect to an engine, then choose a model."),
                       .button = tr("Choose a model\u2026")});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &ModelPage::firstStepWanted);
}

}  // namespace spd
