#pragma once

#include <QWidget>

class QLabel;
class QTreeView;

namespace spd {

class JobsModel;

/// The jobs, one line each with its button; keys and the context menu do the rest: Delete cancels or removes,
/// Alt+Up and Alt+Down move a waiting job.
class JobsStrip : public QWidget {
    Q_OBJECT

public:
    /// @param model  must outlive this.
    explicit JobsStrip(JobsModel& model, QWidget* parent = nullptr);

    QSize sizeHint() const override;

Q_SIGNALS:
    void cancelWanted(const QString& job);
    void resumeWanted(const QString& job);
    void removeWanted(const QString& job);
    void moveWanted(const QString& job, int position);
    void logWanted(const QString& job);

private:
    QString currentJob() const;
    void doMainAction(const QModelIndex& index);
    void moveCurrent(int by);
    void showMenu(const QPoint& position);
    void showHint();

    JobsModel& model_;
    QTreeView* view_;
    QLabel* hint_;
};

}  // namespace spd
