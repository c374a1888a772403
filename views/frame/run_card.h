#pragma once

#include <QFrame>
#include <QString>
#include <optional>
#include <vector>

#include "views/frame/stage.h"

class QLabel;
class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace spd {

/// What would happen if one pressed the button. Only what differs from the defaults is spelled out.
struct RunCardValues {
    struct Line {
        QString label;  ///< "model"
        QString value;  ///< "Qwen2.5-0.5B"; empty: not chosen yet
        Stage page;     ///< where its field is
        QString tip;    ///< what, unit, default, source

        bool operator==(const Line&) const = default;
    };
    QString name;                            ///< of the run; empty: a new one
    std::vector<Line> lines;                 ///< model, data, method
    std::vector<Line> differences;           ///< settings that are not the default
    std::optional<double> memory_needed;     ///< bytes; nothing: unknown
    std::optional<double> memory_available;  ///< bytes
    QString next_step;                       ///< "Choose a model"
    QString next_step_tip;
    bool can_step = false;  ///< else the button is there, but grey; its tip says why

    bool operator==(const RunCardValues&) const = default;
};

/// The card on the right of every page. Each line jumps to its field, the button does the next missing step.
class RunCard : public QFrame {
    Q_OBJECT

public:
    explicit RunCard(QWidget* parent = nullptr);

    void setValues(const RunCardValues& values);

Q_SIGNALS:
    void pageWanted(spd::Stage page);
    void nextStepWanted();

protected:
    void changeEvent(QEvent* event) override;

private:
    void colorButton();
    void fillLines(QVBoxLayout* layout, const std::vector<RunCardValues::Line>& lines);
    void showMemory();

    RunCardValues values_;
    QLabel* name_;
    QVBoxLayout* lines_;
    QLabel* differences_title_;
    QVBoxLayout* differences_;
    QLabel* memory_;
    QProgressBar* memory_bar_;
    QPushButton* button_;
};

}  // namespace spd
