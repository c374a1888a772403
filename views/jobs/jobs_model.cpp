#include "views/jobs/jobs_model.h"

#include <QCoreApplication>
#include <algorithm>

#include "views/shared/colors.h"
#include "views/shared/numbers.h"

namespace spd {

namespace {

using protocol::Job;
using protocol::JobState;

QString text(const std::string& value) {
    return QString::fromStdString(value);
}

/// Running, then queued by position, then ended, newest first.
bool isBefore(const JobsModel::Row& a, const JobsModel::Row& b) {
    const auto rank = [](const Job& job) {
        return job.state == JobState::running ? 0 : job.state == JobState::queued ? 1 : 2;
    };
    if (rank(a.job) != rank(b.job))
        return rank(a.job) < rank(b.job);
    if (a.job.state == JobState::queued)
        return a.job.position.value_or(INT64_MAX) < b.job.position.value_or(INT64_MAX);
    return a.job.ended > b.job.ended;
}

double shareOf(const JobsModel::Row& row) {
    if (row.job.state == JobState::finished)
        return 1;
    if (row.job.state != JobState::running)
        return -1;
    if (!row.progress || row.progress->progress.total <= 0)
        return 0;
    const Progress& progress = row.progress->progress;
    return std::clamp(static_cast<double>(progress.done) / static_cast<double>(progress.total), 0.0, 1.0);
}

QString phaseOf(const JobsModel::Row& row) {
    if (row.job.state == JobState::running && !row.job.stopping && row.progress &&
        !row.progress->progress.phase.empty())
        return text(row.progress->progress.phase);
    return stateInWords(row.job);
}

QString progressOf(const JobsModel::Row& row) {
    if (!row.progress)
        return {};
    const Progress& progress = row.progress->progress;
    if (progress.total > 0)
        return QStringLiteral("%1 / %2").arg(formatCount(progress.done), formatCount(progress.total));
    return progress.done > 0 ? formatCount(progress.done) : QString();
}

QString rateOf(const JobsModel::Row& row) {
    if (!row.progress || row.job.state != JobState::running)
        return {};
    if (row.progress->progress.tokens_per_second > 0)
        return formatRate(row.progress->progress.tokens_per_second, QStringLiteral("tok"));
    return formatRate(row.progress->rate, unitOf(row.job));
}

QString timeOf(const JobsModel::Row& row) {
    if (row.job.state == JobState::running)
        return row.progress ? formatTimeLeft(row.progress->seconds_left) : QString();
    if (row.job.state == JobState::queued || row.job.ended == 0 || row.job.started == 0)
        return {};
    return JobsModel::tr("took %1").arg(
        formatDuration(static_cast<double>(row.job.ended - row.job.started) / 1000));
}

QString tipOf(const JobsModel::Row& row) {
    QStringList lines = {QStringLiteral("%1 (%2)").arg(text(row.job.title), text(row.job.kind)),
                         stateInWords(row.job)};
    if (row.job.failure)
        lines << text(row.job.failure->message);
    if (row.progress && !row.progress->progress.note.empty())
        lines << text(row.progress->progress.note);
    return lines.join(u'\n');
}

}  // namespace

JobAction mainAction(const Job& job) {
    switch (job.state) {
        case JobState::queued:
            return JobAction::cancel;
        case JobState::running:
            return job.stopping ? JobAction::none : JobAction::cancel;
        case JobState::finished:
            return JobAction::remove;
        default:
            return job.resumable ? JobAction::resume : JobAction::remove;
    }
}

QString stateInWords(const Job& job) {
    switch (job.state) {
        case JobState::queued:
            return JobsModel::tr("waiting");
        case JobState::running:
            return job.stopping ? JobsModel::tr("stopping, saves what is done") : JobsModel::tr("starting");
        case JobState::finished:
            return JobsModel::tr("finished");
        case JobState::failed:
            return job.failure ? JobsModel::tr("failed: %1").arg(text(job.failure->message))
                               : JobsModel::tr("failed");
        case JobState::cancelled:
            return JobsModel::tr("cancelled, what was done is saved");
        case JobState::interrupted:
            return JobsModel::tr("interrupted: its engine ended");
    }
    return {};
}

QString unitOf(const Job& job) {
    if (job.kind == "train")
        return JobsModel::tr("steps");
    return job.kind == "calibrate" || job.kind == "eval" ? JobsModel::tr("ex") : JobsModel::tr("rows");
}

void JobsModel::setJobs(const std::vector<Job>& jobs) {
    beginResetModel();
    std::vector<Row> rows;
    for (const Job& job : jobs) {
        const int known = rowOf(job.id);
        rows.push_back({job, known < 0 ? std::nullopt : rows_[static_cast<size_t>(known)].progress});
    }
    rows_ = std::move(rows);
    std::stable_sort(rows_.begin(), rows_.end(), isBefore);
    endResetModel();
    Q_EMIT jobsChanged();
}

int JobsModel::rowOf(const std::string& id) const {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.job.id == id; });
    return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

void JobsModel::update(const Job& job) {
    int row = rowOf(job.id);
    if (row < 0) {
        row = static_cast<int>(rows_.size());
        beginInsertRows({}, row, row);
        rows_.push_back({job, {}});
        endInsertRows();
    } else {
        rows_[static_cast<size_t>(row)].job = job;
        Q_EMIT dataChanged(index(row, 0), index(row, kColumns - 1));
    }
    sortRow(row);
    Q_EMIT jobsChanged();
}

/// Moves one row to where it belongs; the others are in order.
void JobsModel::sortRow(int row) {
    const auto at = static_cast<size_t>(row);
    const Row moved = rows_[at];
    size_t target = 0;
    for (size_t i = 0; i < rows_.size(); ++i)
        if (i != at && !isBefore(moved, rows_[i]))
            ++target;
    if (target == at)
        return;
    const int destination = static_cast<int>(target > at ? target + 1 : target);
    if (!beginMoveRows({}, row, row, {}, destination))
        return;
    rows_.erase(rows_.begin() + row);
    rows_.insert(rows_.begin() + static_cast<std::ptrdiff_t>(target), moved);
    endMoveRows();
}

void JobsModel::remove(const QString& id) {
    const int row = rowOf(id.toStdString());
    if (row < 0)
        return;
    beginRemoveRows({}, row, row);
    rows_.erase(rows_.begin() + row);
    endRemoveRows();
    Q_EMIT jobsChanged();
}

void JobsModel::setProgress(const QString& id, const protocol::JobProgress& progress) {
    const int row = rowOf(id.toStdString());
    if (row < 0)
        return;
    rows_[static_cast<size_t>(row)].progress = progress;
    Q_EMIT dataChanged(index(row, kPhase), index(row, kTimeLeft));
}

const JobsModel::Row* JobsModel::find(const QString& id) const {
    const int row = rowOf(id.toStdString());
    return row < 0 ? nullptr : &rows_[static_cast<size_t>(row)];
}

const JobsModel::Row* JobsModel::running() const {
    return !rows_.empty() && rows_.front().job.state == JobState::running ? &rows_.front() : nullptr;
}

int JobsModel::waiting() const {
    return static_cast<int>(std::count_if(rows_.begin(), rows_.end(),
                                          [](const Row& row) { return row.job.state == JobState::queued; }));
}

int JobsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int JobsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int{kColumns};
}

QVariant JobsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const Row& row = rows_[static_cast<size_t>(index.row())];
    if (role == kIdRole)
        return text(row.job.id);
    if (role == kShareRole)
        return shareOf(row);
    if (role == kActionRole)
        return static_cast<int>(mainAction(row.job));
    if (role == kStateRole)
        return static_cast<int>(row.job.state);
    if (role == Qt::ToolTipRole)
        return tipOf(row);
    if (role == Qt::TextAlignmentRole && (index.column() == kRate || index.column() == kTimeLeft))
        return QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
        case kTitle:
            return row.job.title.empty() ? text(row.job.kind) : text(row.job.title);
        case kPhase:
            return phaseOf(row);
        case kProgress:
            return progressOf(row);
        case kRate:
            return rateOf(row);
        case kTimeLeft:
            return timeOf(row);
        default:
            return {};
    }
}

QVariant JobsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole || orientation != Qt::Horizontal)
        return {};
    const QString titles[] = {tr("Job"), tr("Phase"), tr("Progress"), tr("Rate"), tr("Time"), QString()};
    return section >= 0 && section < kColumns ? titles[section] : QVariant();
}

}  // namespace spd
