#include "views/preview/preview_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

PreviewPage::PreviewPage(QWidget* parent) : QWidget(parent) {
    auto* empty = new EmptyPage(
        {.title = tr("Preview"),
         .purpose = tr(
             "One prompt, several completions side by side: the base model, the model with the projection, a "
             "trained adapter. All panes draw the same noise, so what differs is the intervention."),
         .first_step = tr("This page is not there yet. Until then `spd generate` with and without --subspace "
                          "gives the texts to compare."),
         .button = {}});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &PreviewPage::firstStepWanted);
}

}  // namespace spd
