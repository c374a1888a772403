#pragma once

#include <QUndoStack>
#include <QWidget>

#include "core/protocol/job.h"
#include "views/calibration/calibration_choice.h"
#include "views/calibration/spans/example_command.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QStackedLayout;

namespace spd {

class EmptyPage;
class ExamplesModel;
class Findings;
class NoticeLine;
class RunBar;
class SourceBar;
class SpanEditor;
class TableView;

/// Choose examples, see and change their correctness spans, run the calibration. It gets values and tells
/// wishes; params of messages are what it tells. GUI thread.
class CalibrationPage : public QWidget {
    Q_OBJECT

public:
    explicit CalibrationPage(QWidget* parent = nullptr);

    /// What MODEL takes; empty: none is chosen, and the page says so.
    void setModel(const QString& model);
    void setTasks(const protocol::TaskList& tasks);
    /// An answer to examplesWanted(). @param from  of its params: 0 replaces all, else they are added
    void setExamples(protocol::ExampleList list, int64_t from);
    void setExamplesFailure(const QString& message, const QStringList& details);

    const CalibrationChoice& choice() const { return choice_; }
    /// Shows it: what is restored or comes from another run. Emits nothing.
    void setChoice(const CalibrationChoice& choice);
    /// A file of the engine's was picked.
    void setPath(const QString& path);

    // The job. setRunning(true) clears what an earlier one measured.
    void setRunning(bool running);
    void setProgress(const protocol::JobProgress& progress);
    /// A point of job.metrics: {"step","id","loss","gradient_norm",...}.
    void addPoint(const nlohmann::ordered_json& point);
    void setRunFailure(const QString& message, const QStringList& details);

    QUndoStack* undoStack() { return &undo_; }

Q_SIGNALS:
    void firstStepWanted();  ///< the button of the empty page
    void examplesWanted(const nlohmann::ordered_json& params);
    void fileWanted();
    void choiceChanged(const spd::CalibrationChoice& choice);
    void runWanted(
        const nlohmann::ordered_json& params);  ///< of a "calibrate" job; `run` is the controller's
    void stopWanted();

private:
    QWidget* makeContent();
    QWidget* makeTable();
    void wire();
    void wireTable();
    void load();
    void ask();
    QString stateOfExamples() const;
    void takeChoice();
    void change(std::vector<ExampleCommand::Change> changes, const QString& text);
    void applyChanges(const std::vector<ExampleCommand::Change>& changes, bool after);
    void setSpan(int row, SpanChoice span, const QString& text);
    void pick(const std::vector<int>& rows, bool picked);
    void applyPattern(const SpanPattern& pattern);
    void takePattern(std::vector<ExampleCommand::Change> changes, int64_t unmatched);
    void showSoon();
    void showCounts();
    void showExample();
    void run();

    QString model_;
    CalibrationChoice choice_;
    CalibrationChoice shown_;  // the one whose examples are shown
    QString shown_model_;      // and whose tokenizer cut them
    QUndoStack undo_;
    bool counts_wait_ = false;
    bool running_ = false;

    QStackedLayout* stack_;
    EmptyPage* empty_;
    SourceBar* source_;
    QLabel* summary_;
    NoticeLine* notice_;
    QLineEdit* search_;
    QComboBox* filter_;
    ExamplesModel* examples_;
    TableView* table_;
    SpanEditor* editor_;
    Findings* findings_;
    RunBar* run_bar_;
};

}  // namespace spd
