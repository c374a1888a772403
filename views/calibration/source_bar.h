#pragma once

#include <QWidget>

#include "views/calibration/calibration_choice.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace spd {

/// Where the examples come from: a task with its data set, number and seed, or a file. GUI thread.
class SourceBar : public QWidget {
    Q_OBJECT

public:
    explicit SourceBar(QWidget* parent = nullptr);

    void setTasks(const protocol::TaskList& tasks);
    /// Shows it; emits nothing.
    void setChoice(const CalibrationChoice& choice);
    /// The choice with what this bar decides put in.
    CalibrationChoice shown(CalibrationChoice choice) const;
    /// While an answer is awaited.
    void setWaiting(bool waiting);

Q_SIGNALS:
    void changed();
    void loadWanted();
    void fileWanted();  ///< the button that looks through the engine's folders

private:
    void describeData();
    void describeNumbers();
    void wire();
    void showFields();

    protocol::TaskList tasks_;
    QComboBox* task_;
    QLineEdit* path_;
    QPushButton* browse_;
    QComboBox* data_;
    QLabel* n_label_;
    QSpinBox* n_;
    QLabel* seed_label_;
    QSpinBox* seed_;
    QComboBox* code_span_;
    QCheckBox* tests_;
    QPushButton* load_;
};

}  // namespace spd
