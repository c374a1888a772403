#include "views/jobs/jobs_strip.h"

#include <QAction>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QTreeView>
#include <QVBoxLayout>

#include "views/jobs/job_delegate.h"
#include "views/jobs/jobs_model.h"
#include "views/shared/colors.h"
#include "views/shared/theme.h"

namespace spd {

JobsStrip::JobsStrip(JobsModel& model, QWidget* parent)
    : QWidget(parent), model_(model), view_(new QTreeView), hint_(new QLabel) {
    view_->setModel(&model);
    view_->setRootIsDecorated(false);
    view_->setUniformRowHeights(true);
    view_->setAllColumnsShowFocus(true);
    view_->setFrameShape(QFrame::NoFrame);
    view_->setContextMenuPolicy(Qt::CustomContextMenu);
    view_->setMouseTracking(true);
    view_->setAccessibleName(tr("Jobs"));
    view_->setHeaderHidden(true);
    auto* delegate = new JobDelegate(view_);
    view_->setItemDelegate(delegate);
    QHeaderView* header = view_->header();
    header->setStretchLastSection(false);
    for (const int column : {JobsModel::kProgress, JobsModel::kRate, JobsModel::kTimeLeft})
        header->hideSection(column);  // drawn beside the phase
    header->resizeSection(JobsModel::kTitle, 28 * kGrid);
    header->resizeSection(JobsModel::kAction, 11 * kGrid);
    header->setSectionResizeMode(JobsModel::kPhase, QHeaderView::Stretch);
    view_->viewport()->setBackgroundRole(QPalette::Window);
    hint_->setText(
        tr("No jobs. What takes long - calibration, generation, training, evaluation - runs here, and goes "
           "on when the window is closed."));
    hint_->setForegroundRole(QPalette::PlaceholderText);
    hint_->setMargin(kGrid / 2);
    hint_->setWordWrap(true);
    hint_->setAlignment(Qt::AlignTop);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kGrid, kGrid / 2, 0, 0);
    layout->addWidget(view_);
    layout->addWidget(hint_);

    const auto key = [this](const QKeySequence& sequence, auto slot) {
        auto* action = new QAction(view_);
        action->setShortcut(sequence);
        action->setShortcutContext(Qt::WidgetShortcut);
        connect(action, &QAction::triggered, this, slot);
        view_->addAction(action);
    };
    key(Qt::Key_Delete, [this] { doMainAction(view_->currentIndex()); });
    key(Qt::ALT | Qt::Key_Up, [this] { moveCurrent(-1); });
    key(Qt::ALT | Qt::Key_Down, [this] { moveCurrent(1); });
    connect(delegate, &JobDelegate::actionClicked, this, &JobsStrip::doMainAction);
    connect(view_, &QWidget::customContextMenuRequested, this, &JobsStrip::showMenu);
    connect(view_, &QTreeView::doubleClicked, this, [this] { Q_EMIT logWanted(currentJob()); });
    connect(&model_, &JobsModel::jobsChanged, this, &JobsStrip::showHint);
    showHint();
}

QSize JobsStrip::sizeHint() const {
    return {60 * kGrid, 12 * kGrid};
}

void JobsStrip::showHint() {
    view_->setVisible(model_.rowCount() > 0);
    hint_->setVisible(model_.rowCount() == 0);
}

QString JobsStrip::currentJob() const {
    return view_->currentIndex().data(JobsModel::kIdRole).toString();
}

void JobsStrip::doMainAction(const QModelIndex& index) {
    const QString job = index.data(JobsModel::kIdRole).toString();
    switch (static_cast<JobAction>(index.data(JobsModel::kActionRole).toInt())) {
        case JobAction::cancel:
            Q_EMIT cancelWanted(job);
            break;
        case JobAction::resume:
            Q_EMIT resumeWanted(job);
            break;
        case JobAction::remove:
            Q_EMIT removeWanted(job);
            break;
        case JobAction::none:
            break;
    }
}

void JobsStrip::moveCurrent(int by) {
    const JobsModel::Row* row = model_.find(currentJob());
    if (row == nullptr || row->job.state != protocol::JobState::queued)
        return;
    const int position = static_cast<int>(row->job.position.value_or(0)) + by;
    if (position >= 0 && position < model_.waiting())
        Q_EMIT moveWanted(currentJob(), position);
}

void JobsStrip::showMenu(const QPoint& position) {
    const QModelIndex index = view_->indexAt(position);
    const JobsModel::Row* row = model_.find(index.data(JobsModel::kIdRole).toString());
    if (row == nullptr)
        return;
    view_->setCurrentIndex(index);
    const QString job = currentJob();
    const bool queued = row->job.state == protocol::JobState::queued;
    const bool ended = protocol::hasEnded(row->job.state);
    QMenu menu;
    menu.addAction(tr("Cancel"), this, [=, this] { Q_EMIT cancelWanted(job); })
        ->setEnabled(!ended && !row->job.stopping);
    menu.addAction(tr("Resume"), this, [=, this] { Q_EMIT resumeWanted(job); })
        ->setEnabled(ended && row->job.resumable);
    menu.addSeparator();
    menu.addAction(tr("Move up\tAlt+Up"), this, [this] { moveCurrent(-1); })->setEnabled(queued);
    menu.addAction(tr("Move down\tAlt+Down"), this, [this] { moveCurrent(1); })->setEnabled(queued);
    menu.addSeparator();
    menu.addAction(tr("Show its log"), this, [=, this] { Q_EMIT logWanted(job); });
    menu.addAction(tr("Remove from the list"), this, [=, this] { Q_EMIT removeWanted(job); })
        ->setEnabled(ended);
    menu.exec(view_->viewport()->mapToGlobal(position));
}

}  // namespace spd
