#pragma once

#include <QAbstractTableModel>
#include <optional>
#include <vector>

#include "core/protocol/job.h"

namespace spd {

/// What can be done with a job in its state.
enum class JobAction { none, cancel, resume, remove };

/// The jobs of an engine, a row each: what runs first, then the queue in its order, then what ended, newest
/// first. Keeps values only; what the user wants of a job is said by the view.
class JobsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { kTitle, kPhase, kProgress, kRate, kTimeLeft, kAction, kColumns };
    enum Role {
        kIdRole = Qt::UserRole,
        kShareRole,   ///< double: of the progress bar; negative: none is drawn, 0: unknown
        kActionRole,  ///< int: JobAction of the main button
        kStateRole,   ///< int: protocol::JobState
    };
    using QAbstractTableModel::QAbstractTableModel;

    /// All of them, in any order; progress of those that are still there is kept.
    void setJobs(const std::vector<protocol::Job>& jobs);
    /// A new job, or a new state of a known one.
    void update(const protocol::Job& job);
    void remove(const QString& id);
    /// Of a job that is not known: ignored.
    void setProgress(const QString& id, const protocol::JobProgress& progress);

    struct Row {
        protocol::Job job;
        std::optional<protocol::JobProgress> progress;
    };
    const std::vector<Row>& rows() const { return rows_; }
    /// @return nothing for an unknown id
    const Row* find(const QString& id) const;
    const Row* running() const;
    int waiting() const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    /// Another set of jobs, or another state of one; not for progress.
    void jobsChanged();

private:
    int rowOf(const std::string& id) const;
    void sortRow(int row);

    std::vector<Row> rows_;
};

JobAction mainAction(const protocol::Job& job);
/// "running", "stopping", "interrupted: its engine ended": what the state means.
QString stateInWords(const protocol::Job& job);
/// What is counted in a phase, for its rate: "ex", "tok", "step".
QString unitOf(const protocol::Job& job);

}  // namespace spd
