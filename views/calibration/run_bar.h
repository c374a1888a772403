#pragma once

#include <QWidget>

#include "core/protocol/job.h"
#include "views/calibration/calibration_choice.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QStackedWidget;

namespace spd {

/// How the examples are measured, and the run itself: settings and its button, or progress and Stop.
/// GUI thread.
class RunBar : public QWidget {
    Q_OBJECT

public:
    explicit RunBar(QWidget* parent = nullptr);

    /// Shows it; emits nothing.
    void setChoice(const CalibrationChoice& choice);
    CalibrationChoice shown(CalibrationChoice choice) const;
    /// What keeps a run from starting; empty: nothing.
    void setProblem(const QString& problem);
    void setRunning(bool running);
    void setProgress(const protocol::JobProgress& progress);

Q_SIGNALS:
    void changed();
    void runWanted();
    void stopWanted();
    void copyWanted();  ///< the command

private:
    QWidget* makeSettings();
    QWidget* makeProgress();

    QStackedWidget* stack_;
    QComboBox* loss_;
    QComboBox* site_;
    QComboBox* layers_;
    QComboBox* dtype_;
    QCheckBox* per_head_;
    QPushButton* run_;
    QProgressBar* bar_;
    QLabel* said_;
    QPushButton* stop_;
};

/// "example 31 of 50, 0.9 ex/s, 21 s left"
QString progressText(const protocol::JobProgress& progress);

}  // namespace spd
