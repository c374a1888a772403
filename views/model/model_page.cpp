#include "views/model/model_page.h"

#include <QComboBox>
#include <QDragEnterEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStackedLayout>
#include <QTabWidget>
#include <QTimer>
#include <QToolButton>
#include <QUrl>

#include "views/model/load_report_model.h"
#include "views/model/memory_bars.h"
#include "views/model/models_model.h"
#include "views/model/try/try_messages.h"
#include "views/model/try/try_text.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/numbers.h"
#include "views/shared/table/table_view.h"

namespace spd {

namespace {

/// The folder that is dragged, or the folder of a file of it.
QString draggedPath(const QMimeData* data) {
    const QList<QUrl> urls = data->urls();
    return urls.isEmpty() ? QString() : urls.front().toLocalFile();
}

}  // namespace

void ModelPage::lookAt(const QString& model) {
    if (model.isEmpty())
        return;
    model_ = model;
    loads_ = false;
    {
        const QSignalBlocker quiet(name_);
        name_->setText(model);
    }
    summary_->setText(tr("Looking at %1\u2026").arg(shortModelName(model)));
    notice_->clear();
    showUse();
    soon_->start();
}

/// What is shown of the model depends on context and dtype, and its texts on its tokenizer.
void ModelPage::askAgain() {
    Q_EMIT inspectWanted(model_, context_->value(), dtype_->currentData().toString());
}

void ModelPage::showUse() {
    const bool is_chosen = !model_.isEmpty() && model_ == chosen_;
    use_->setText(is_chosen ? tr("In use") : tr("Use this model"));
    use_->setEnabled(loads_ && !is_chosen);
}

void ModelPage::setModels(protocol::ModelList list) {
    places_->setText(tr("Drop a checkpoint folder on this page to look at it too."));
    places_->setToolTip(tr("Looked through %1 and %2")
                            .arg(QString::fromStdString(list.folder), QString::fromStdString(list.cache)));
    setLoaded(list.resident);
    {
        const QSignalBlocker quiet(list_);
        models_->setModels(std::move(list.models));
        list_->setCurrentRow(models_->rowOf(model_));
    }
    stack_->setCurrentIndex(1);
    if (model_.isEmpty() && models_->rowCount() > 0)
        list_->setCurrentRow(std::max(0, models_->rowOf(chosen_)));
    if (models_->rowCount() == 0 && model_.isEmpty())
        summary_->setText(
            tr("There is no model yet. Drop a checkpoint folder here, or type ORG/NAME above and "
               "press Enter: the page shows the command that downloads it."));
}

void ModelPage::setLoaded(const std::optional<protocol::LoadedModel>& loaded) {
    unload_->setVisible(loaded.has_value());
    loaded_->setText(loaded ? tr("in memory: %1, %2, %3")
                                  .arg(shortModelName(QString::fromStdString(loaded->model)),
                                       QString::fromStdString(loaded->dtype),
                                       formatBytes(static_cast<double>(loaded->bytes)))
                            : tr("no weights in memory"));
}

void ModelPage::setChosen(const QString& model) {
    chosen_ = model;
    models_->setChosen(model);
    if (model_.isEmpty() && stack_->currentIndex() == 1)
        lookAt(model);
    showUse();
}

void ModelPage::clear() {
    stack_->setCurrentIndex(0);
}

void ModelPage::setInspection(const QString& model, const protocol::ModelInspection& found) {
    if (model != model_)
        return;
    loads_ = found.loads;
    notice_->clear();
    if (!found.loads) {
        QStringList reasons;
        for (const std::string& refusal : found.refusals)
            reasons.push_back(QString::fromStdString(refusal));
        notice_->say(reportSummary(found), reasons.size() > 1 ? reasons : QStringList());
    }
    summary_->setText(found.loads ? reportSummary(found) : shortModelName(model));
    report_->setRows(reportRows(found));
    report_table_->scrollToTop();
    bars_->setStages(memoryStages(found), static_cast<double>(found.machine.memory_available),
                     static_cast<double>(found.machine.memory_total));
    verdict_->setText(memoryVerdict(found));
    tabs_->setEnabled(true);
    showUse();
    try_text_->askAgain();
    try_messages_->askAgain();
}

void ModelPage::setInspectionFailure(const QString& model, const QString& message, const QStringList& details,
                                     const QString& command) {
    if (model != model_)
        return;
    loads_ = false;
    tabs_->setEnabled(false);
    report_->setRows({});
    bars_->setStages({}, 0, 0);
    verdict_->clear();
    summary_->setText(shortModelName(model));
    if (command.isEmpty())
        notice_->say(message, details);
    else
        notice_->showCommand(
            tr("%1 is not on this machine. Download it in a terminal, then press Refresh:\n%2")
                .arg(model, command),
            command);
    showUse();
}

void ModelPage::setTokens(const QString& model, const protocol::TokenizedText& answer) {
    if (model == model_)
        try_text_->setAnswer(answer);
}

void ModelPage::setTokensFailure(const QString& message, const QStringList& details) {
    try_text_->setFailure(message, details);
}

void ModelPage::setRendered(const QString& model, const protocol::RenderedMessages& answer) {
    if (model == model_)
        try_messages_->setAnswer(answer);
}

void ModelPage::setRenderFailure(const QString& message, const QStringList& details) {
    try_messages_->setFailure(message, details);
}

void ModelPage::dragEnterEvent(QDragEnterEvent* event) {
    if (!draggedPath(event->mimeData()).isEmpty())
        event->acceptProposedAction();
}

void ModelPage::dropEvent(QDropEvent* event) {
    const QString path = draggedPath(event->mimeData());
    if (path.isEmpty())
        return;
    event->acceptProposedAction();
    stack_->setCurrentIndex(1);
    Q_EMIT folderDropped(path);
    lookAt(path);
}

}  // namespace spd
