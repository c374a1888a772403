// MainWindow: what it opens, what it remembers, how it closes.
#include <QCloseEvent>
#include <QMessageBox>
#include <QPushButton>
#include <QSplitter>
#include <QTimer>

#include "app/workbench/main_window.h"
#include "app/workbench/pages/pages.h"
#include "views/dialogs/command_palette.h"
#include "views/dialogs/connect_dialog.h"
#include "views/dialogs/notice.h"
#include "views/dialogs/shortcuts_sheet.h"
#include "views/frame/run_card.h"

namespace spd {

void MainWindow::restore() {
    Settings& settings = workbench_.settings();
    const QByteArray geometry = settings.value(Settings::kGeometry).toByteArray();
    if (geometry.isEmpty() || !restoreGeometry(geometry))
        resize(160 * kGrid, 90 * kGrid);
    const QVariantList splitters = settings.value(Settings::kSplitters).toList();
    if (splitters.size() != 2 || !vertical_->restoreState(splitters[0].toByteArray()) ||
        !foot_->restoreState(splitters[1].toByteArray())) {
        vertical_->setSizes({75 * kGrid, 15 * kGrid});
        foot_->setSizes({98 * kGrid, 62 * kGrid});
    }
    card_->setVisible(settings.value(Settings::kRunCardShown).toBool());
    foot_->setVisible(settings.value(Settings::kFootShown).toBool());
    const QString page = settings.value(Settings::kPage).toString();
    for (int i = 0; i < kStageCount; ++i)
        if (stageName(static_cast<Stage>(i)) == page)
            showPage(static_cast<Stage>(i));
}

void MainWindow::rememberLayout() {
    workbench_.settings().set(Settings::kGeometry, saveGeometry());
    workbench_.settings().set(Settings::kSplitters, QVariantList{vertical_->saveState(), foot_->saveState()});
}

QDialog* MainWindow::openPalette() {
    auto* palette = new CommandPalette(menus_->actions(), this);
    palette->setAttribute(Qt::WA_DeleteOnClose);
    const QPoint place(width() / 2 - palette->width() / 2, 6 * kGrid);
    palette->move(mapToGlobal(place));
    palette->show();
    return palette;
}

QDialog* MainWindow::openKeys() {
    auto* sheet = new ShortcutsSheet(menus_->actions(), this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->show();
    return sheet;
}

void MainWindow::openConnect() {
    auto* dialog = new ConnectDialog(workbench_.commandLine(), Workbench::localCommand(),
                                     workbench_.settings().value(Settings::kRecentCommands).toStringList(),
                                     &Workbench::commandProblem, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this,
            [this, dialog] { workbench_.connectTo(dialog->commandLine()); });
    dialog->open();
}

void MainWindow::openAbout() {
    QMessageBox::about(this, tr("About SPD Workbench"),
                       tr("<h3>SPD Workbench %1</h3><p>Self-policy distillation (arXiv 2605.22675): measure "
                          "which directions of K and V "
                          "carry the answers, let the model write its own corpus inside them, train an "
                          "adapter on it, and see by honest "
                          "intervals what it is worth.</p><p>GPL-3.0-or-later. Qt %2, QCustomPlot.</p>")
                           .arg(QStringLiteral(SPD_VERSION), QString::fromLatin1(qVersion())));
}

/// Pages are where a step is done: the button leads there, or connects first.
void MainWindow::doNextStep() {
    if (workbench_.client().state() == EngineState::ready)
        showPage(nextStep(workbench_.draft()).page);
    else
        openConnect();
}

void MainWindow::offerToResume(const QStringList& jobs, const QString& text) {
    showNotice(text);
    notice_->say(text, tr("Resume"), [this, jobs] {
        for (const QString& job : jobs)
            workbench_.resumeJob(job);
    });
}

/// The engine outlives its windows, so work may go on without one.
bool MainWindow::mayClose() {
    if (!workbench_.hasWork())
        return true;
    const JobsModel::Row* running = workbench_.jobs().running();
    QMessageBox box(this);
    box.setWindowTitle(tr("Jobs run"));
    box.setText(running == nullptr ? tr("Jobs are waiting.")
                                   : tr("\"%1\" runs.").arg(QString::fromStdString(running->job.title)));
    box.setInformativeText(
        tr("The engine can go on without the window: open it again and it is there. Or stop the job "
           "now; what it has done is saved and can be resumed."));
    const QPushButton* keep = box.addButton(tr("Keep going"), QMessageBox::AcceptRole);
    const QPushButton* stop = box.addButton(tr("Stop and save"), QMessageBox::DestructiveRole);
    box.setDefaultButton(box.addButton(tr("Stay"), QMessageBox::RejectRole));
    box.exec();
    if (box.clickedButton() == keep)
        return true;
    if (box.clickedButton() == stop) {
        closing_ = true;
        connect(&workbench_, &Workbench::allStopped, this, &QWidget::close);
        showNotice(tr("Stopping: the window closes once what is done is saved."));
        workbench_.stopAll();
    }
    return false;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    rememberLayout();
    const bool lost = workbench_.client().state() != EngineState::ready;
    const bool may = lost || (closing_ && !workbench_.hasWork()) || mayClose();
    event->setAccepted(may);
    if (may)
        workbench_.settings().saveNow();
}

}  // namespace spd
