#pragma once

#include <QWidget>

#include "views/shared/colors.h"

class QLabel;
class QProgressBar;
class QToolButton;

namespace spd {

/// What the line at the foot of the window says.
struct StatusValues {
    Status engine_status = Status::plain;
    QString engine;     ///< "engine ready"
    QString where;      ///< "local", "ssh gpu7"
    QString device;     ///< "cpu, 2 threads"
    QString model;      ///< "0.27 GiB model in memory"; empty: none
    QString jobs;       ///< "1 job, 3 waiting"
    double share = -1;  ///< of the running job; negative: none runs
    QString meter;      ///< of the engine's machine: "cpu 96 %  12.1 GiB free"
    QString saved;      ///< "saved"
    QString tip;        ///< all of it, in full
};

class StatusLine : public QWidget {
    Q_OBJECT

public:
    explicit StatusLine(QWidget* parent = nullptr);

    void setValues(const StatusValues& values);

Q_SIGNALS:
    void engineClicked();

private:
    QToolButton* engine_;
    QLabel* where_;
    QLabel* model_;
    QLabel* jobs_;
    QProgressBar* meter_;
    QLabel* meter_words_;
    QLabel* saved_;
};

}  // namespace spd
