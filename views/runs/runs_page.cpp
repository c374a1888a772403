#include "views/runs/runs_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

RunsPage::RunsPage(QWidget* parent) : QWidget(parent) {
    auto* empty =
        new EmptyPage({.title = tr("Runs"),
                       .purpose = tr("Everything that was done in this workspace: settings, curves, "
                                     "artifacts, scores. Compare runs, repeat one, export its adapter."),
                       .first_step = tr("Connect to an engine: its workspace\u2019s runs appear here."),
                       .button = {}});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &RunsPage::firstStepWanted);
}

}  // namespace spd
