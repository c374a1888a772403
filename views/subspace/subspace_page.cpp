#include "views/subspace/subspace_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

SubspacePage::SubspacePage(QWidget* parent) : QWidget(parent) {
    auto* empty = new EmptyPage(
        {.title = tr("Subspace"),
         .purpose =
             tr("The singular values of the K and V gradients, layer by layer. Here you pick the layers and "
                "the rank of the projection, and see how much of the choice the data decides."),
         .first_step = tr("Run a calibration first: its spectra appear here."),
         .button = {}});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &SubspacePage::firstStepWanted);
}

}  // namespace spd
