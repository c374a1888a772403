#include "views/training/training_page.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedLayout>

#include "views/shared/empty_page.h"
#include "views/shared/form/settings_form.h"
#include "views/shared/numbers.h"
#include "views/shared/theme.h"
#include "views/training/training_plots.h"
#include "views/training/training_settings_fields.h"

namespace spd {

using protocol::JobState;

namespace {

constexpr int kSideWidth = 250;

EmptyPage::Words emptyWords() {
    return {
        .title = TrainingPage::tr("Training"),
        .purpose = TrainingPage::tr(
            "A LoRA adapter learns the self-generated corpus; the projection is gone while it learns. Loss, "
            "learning rate and gradient norm appear here as they come."),
        .first_step = TrainingPage::tr("Generate a corpus first, or open one."),
        .button = TrainingPage::tr("Go to Corpus")};
}

}  // namespace

TrainingPage::TrainingPage(QWidget* parent)
    : QWidget(parent),
      stack_(new QStackedLayout(this)),
      empty_(new EmptyPage(emptyWords())),
      plots_(new TrainingPlots),
      form_(new SettingsForm(trainingFields())),
      corpus_(new QLabel),
      state_(new QLabel),
      train_(new QPushButton(tr("Train"))),
      stop_(new QPushButton(tr("Stop and save"))),
      copy_(new QPushButton(tr("Copy as command"))) {
    auto* content = new QWidget;
    auto* layout = new QHBoxLayout(content);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->setSpacing(kInner);
    layout->addWidget(plots_, 1);
    layout->addWidget(makeSide());
    stack_->addWidget(empty_);
    stack_->addWidget(content);
    connect(empty_, &EmptyPage::clicked, this, &TrainingPage::firstStepWanted);
    connect(form_, &SettingsForm::changed, this, [this] {
        showState();
        Q_EMIT settingsChanged();
    });
    connect(train_, &QPushButton::clicked, this, [this] {
        if (job_ && canResume(*job_))
            Q_EMIT resumeWanted(job_->id);
        else
            Q_EMIT trainWanted(form_->values());
    });
    connect(stop_, &QPushButton::clicked, this, [this] {
        stop_->setEnabled(false);  // seen at once; the engine's answer follows
        Q_EMIT stopWanted(job_->id);
    });
    connect(copy_, &QPushButton::clicked, this, &TrainingPage::copyCommand);
    showState();
}

QWidget* TrainingPage::makeSide() {
    auto* side = new QWidget;
    side->setFixedWidth(kSideWidth);
    auto* layout = new QVBoxLayout(side);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    corpus_->setWordWrap(true);
    state_->setWordWrap(true);
    state_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* scroll = new QScrollArea;
    scroll->setWidget(form_);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    stop_->setToolTip(
        tr("The step at work is abandoned, the last finished one is saved; Resume goes on from there"));
    copy_->setToolTip(tr("The command of this training, for a terminal or a script"));
    layout->addWidget(corpus_);
    layout->addWidget(scroll, 1);
    layout->addWidget(state_);
    auto* row = new QHBoxLayout;
    row->addWidget(train_, 1);
    row->addWidget(stop_, 1);
    layout->addLayout(row);
    layout->addWidget(copy_);
    return side;
}

void TrainingPage::setCorpus(const QString& words, const QString& command) {
    corpus_->setText(words);
    command_ = command;
    stack_->setCurrentIndex(words.isEmpty() && !job_ ? 0 : 1);
}

void TrainingPage::setJob(const std::optional<protocol::Job>& job) {
    if (!job || !job_ || job->id != job_->id) {
        plots_->clear();
        progress_.reset();
    }
    job_ = job;
    if (job_)
        stack_->setCurrentIndex(1);
    showState();
}

void TrainingPage::setProgress(const protocol::JobProgress& progress) {
    progress_ = progress;
    showState();
}

void TrainingPage::addPoints(const std::vector<TrainingPoint>& points) {
    plots_->add(points);
}

nlohmann::ordered_json TrainingPage::settings() const {
    return form_->values();
}

void TrainingPage::setSettings(const nlohmann::ordered_json& values) {
    form_->setValues(values);
}

QStringList TrainingPage::differences() const {
    return spd::differences(form_->fields(), form_->values());
}

QString TrainingPage::stateText() const {
    if (!job_)
        return {};
    switch (job_->state) {
        case JobState::queued:
            return tr("Waits in the queue.");
        case JobState::running:
            if (job_->stopping)
                return tr("Stopping: the last finished step is being saved.");
            if (progress_)
                return tr("%1 %2 of %3. %4. %5")
                    .arg(QString::fromStdString(progress_->progress.phase))
                    .arg(progress_->progress.done)
                    .arg(progress_->progress.total)
                    .arg(formatTimeLeft(progress_->seconds_left),
                         QString::fromStdString(progress_->progress.note));
            return tr("Starts.");
        case JobState::finished:
            return tr("Done.");
        case JobState::failed:
            return tr("Stopped by an error: %1")
                .arg(QString::fromStdString(job_->failure ? job_->failure->message : ""));
        case JobState::cancelled:
            return tr("Stopped; what was done is saved. Resume goes on from there.");
        case JobState::interrupted:
            break;
    }
    return tr(
        "The engine ended while it trained. Nothing that was saved is lost: Resume goes on from the last "
        "checkpoint.");
}

void TrainingPage::showState() {
    const bool at_work = job_ && !hasEnded(job_->state);
    const QString problem = form_->problem();
    state_->setText(stateText());
    state_->setVisible(!state_->text().isEmpty());
    stop_->setEnabled(at_work && !job_->stopping);
    train_->setText(job_ && canResume(*job_) ? tr("Resume") : tr("Train"));
    train_->setEnabled(!at_work && problem.isEmpty());
    train_->setToolTip(problem);
    form_->setEnabled(!at_work);
}

void TrainingPage::copyCommand() const {
    const QString options = optionsOf(form_->fields(), form_->values());
    QApplication::clipboard()->setText(options.isEmpty() ? command_ : command_ + u' ' + options);
}

}  // namespace spd
