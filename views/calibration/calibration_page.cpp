#include "views/calibration/calibration_page.h"

#include <QFuture>
#include <QLabel>
#include <QMessageBox>
#include <QPromise>
#include <QStackedLayout>
#include <QThreadPool>
#include <QTimer>

#include "views/calibration/examples/examples_model.h"
#include "views/calibration/findings.h"
#include "views/calibration/run_bar.h"
#include "views/calibration/source_bar.h"
#include "views/calibration/spans/span_editor.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/numbers.h"
#include "views/shared/table/table_view.h"

namespace spd {

using Change = ExampleCommand::Change;

namespace {

/// What a pattern needs of an example, and its row.
struct Searched {
    int row = 0;
    std::string completion;
    std::vector<protocol::CharRange> ranges;
    ExampleChoice choice;
};

struct PatternChanges {
    std::vector<Change> changes;
    int64_t unmatched = 0;
};

PatternChanges changesOf(const SpanPattern& pattern, const std::vector<Searched>& searched) {
    PatternChanges found;
    for (const Searched& example : searched) {
        SpanChoice span{.chars = spansByPattern(pattern, example.completion), .targets = {}};
        span.targets = targetsOf(example.ranges, span.chars);
        if (span.targets.empty()) {
            ++found.unmatched;
            continue;
        }
        if (span == example.choice.span)
            continue;
        found.changes.push_back({example.row, example.choice, {std::move(span), example.choice.picked}});
    }
    return found;
}

}  // namespace

void CalibrationPage::setModel(const QString& model) {
    model_ = model;
    stack_->setCurrentIndex(model.isEmpty() ? 0 : 1);
    const bool other_tokenizer = examples_->rowCount() > 0 && model != shown_model_ && !model.isEmpty();
    if (other_tokenizer && countsOf(examples_->examples()).edited == 0)
        ask();
    showCounts();
}

void CalibrationPage::setTasks(const protocol::TaskList& tasks) {
    source_->setTasks(tasks);
}

void CalibrationPage::load() {
    takeChoice();
    if (choice_.task.empty() && choice_.path.empty())
        return notice_->say(tr("Name a file of examples first."));
    const bool edited = countsOf(examples_->examples()).edited > 0;
    if (edited &&
        QMessageBox::question(this, tr("Edited spans"),
                              tr("Spans that you have edited are lost when examples are read again."),
                              QMessageBox::Discard | QMessageBox::Cancel) != QMessageBox::Discard)
        return;
    shown_ = choice_;
    ask();
}

void CalibrationPage::ask() {
    shown_model_ = model_;
    source_->setWaiting(true);
    Q_EMIT examplesWanted(examplesParams(shown_, model_.toStdString(), 0));
}

void CalibrationPage::setExamples(protocol::ExampleList list, int64_t from) {
    std::vector<Example> examples;
    examples.reserve(list.examples.size());
    for (protocol::ExampleRow& row : list.examples)
        examples.push_back(exampleOf(std::move(row)));
    const bool is_first = from == 0;
    const bool is_empty = examples.empty();
    notice_->clear();
    if (is_first) {
        undo_.clear();
        examples_->setExamples(std::move(examples));
        editor_->clear();
        table_->setCurrentRow(0);
        findings_->setLeakage(list.overlap ? leakageLines(*list.overlap, shown_.task, list.total)
                                           : std::vector<LeakageLine>());
    } else {
        examples_->append(std::move(examples));
    }
    const bool more = examples_->rowCount() < list.total && !is_empty;
    source_->setWaiting(more);
    showCounts();
    if (more)
        Q_EMIT examplesWanted(examplesParams(shown_, model_.toStdString(), examples_->rowCount()));
}

void CalibrationPage::setExamplesFailure(const QString& message, const QStringList& details) {
    source_->setWaiting(false);
    notice_->say(message, details);
}

void CalibrationPage::takeChoice() {
    const CalibrationChoice now = run_bar_->shown(source_->shown(choice_));
    if (now == choice_)
        return;
    choice_ = now;
    showSoon();
    Q_EMIT choiceChanged(choice_);
}

void CalibrationPage::setChoice(const CalibrationChoice& choice) {
    choice_ = choice;
    source_->setChoice(choice);
    run_bar_->setChoice(choice);
    showSoon();
}

void CalibrationPage::setPath(const QString& path) {
    CalibrationChoice choice = choice_;
    choice.task.clear();
    choice.path = path.toStdString();
    setChoice(choice);
    Q_EMIT choiceChanged(choice_);
}

void CalibrationPage::change(std::vector<Change> changes, const QString& text) {
    std::erase_if(changes, [](const Change& change) { return change.before == change.after; });
    if (changes.empty())
        return;
    undo_.push(
        new ExampleCommand(std::move(changes), text,
                           [this](const std::vector<Change>& all, bool after) { applyChanges(all, after); }));
}

void CalibrationPage::applyChanges(const std::vector<Change>& changes, bool after) {
    examples_->setChoices(changes, after);
    if (changes.size() == 1)
        table_->setCurrentRow(changes.front().row);  // undo shows what it undid
    const int row = table_->currentRow();
    if (row >= 0)
        editor_->setChoice(examples_->at(row));
    showSoon();
}

void CalibrationPage::setSpan(int row, SpanChoice span, const QString& text) {
    const Example& example = examples_->at(row);
    if (example.row.has_text && example.ranges.empty())
        return editor_->setPatternAnswer(
            tr("This tokenizer changes the text, so tokens cannot be told from characters: edit the file's "
               "spans."));
    if (span == example.choice.span)
        return editor_->setPatternAnswer(
            tr("A span lies in the completion: the dimmed tokens of the prompt do not belong to it."));
    editor_->setPatternAnswer({});
    change({{row, example.choice, {std::move(span), example.choice.picked}}}, text);
}

void CalibrationPage::pick(const std::vector<int>& rows, bool picked) {
    std::vector<Change> changes;
    for (const int row : rows)
        if (examples_->at(row).usable())
            changes.push_back({row, examples_->at(row).choice, {examples_->at(row).choice.span, picked}});
    change(std::move(changes), picked ? tr("Pick examples") : tr("Leave examples out"));
}

/// The expression is a person's: a slow one must not hold the window.
void CalibrationPage::applyPattern(const SpanPattern& pattern) {
    std::vector<Searched> searched;
    for (int row = 0; row < examples_->rowCount(); ++row) {
        const Example& example = examples_->at(row);
        if (example.choice.picked && !example.ranges.empty())
            searched.push_back({row, example.row.completion, example.ranges, example.choice});
    }
    editor_->setPatternWaiting(true);
    auto promise = std::make_shared<QPromise<PatternChanges>>();
    const int index = undo_.index();
    const int rows = examples_->rowCount();
    promise->future().then(this, [this, index, rows](const PatternChanges& found) {
        editor_->setPatternWaiting(false);
        if (undo_.index() == index && examples_->rowCount() == rows)  // else its rows are of before
            takePattern(found.changes, found.unmatched);
        else
            editor_->setPatternAnswer(tr("Spans were changed meanwhile: apply it again."));
    });
    promise->start();
    QThreadPool::globalInstance()->start([promise, pattern, searched = std::move(searched)] {
        promise->addResult(changesOf(pattern, searched));
        promise->finish();
    });
}

void CalibrationPage::takePattern(std::vector<Change> changes, int64_t unmatched) {
    const auto changed = std::ssize(changes);
    change(std::move(changes), tr("Set spans by expression"));
    QString answer = tr("%1 spans are changed.").arg(formatCount(changed));
    if (unmatched > 0)
        answer += tr(" %1 examples have no match and keep their span.").arg(formatCount(unmatched));
    editor_->setPatternAnswer(answer);
}

/// Once for all that happens before the next turn of the event loop.
void CalibrationPage::showSoon() {
    if (counts_wait_)
        return;
    counts_wait_ = true;
    QTimer::singleShot(0, this, &CalibrationPage::showCounts);
}

void CalibrationPage::showCounts() {
    counts_wait_ = false;
    const ExampleCounts counts = countsOf(examples_->examples());
    const QString state = stateOfExamples();
    summary_->setText(state.isEmpty() ? summaryOf(counts) : state);
    findings_->setSpanLengths(spanLengths(examples_->examples()));
    run_bar_->setProblem(state.isEmpty() ? problemOf(choice_, model_.toStdString(), counts.picked) : state);
}

/// Why the table is not what a run would take, and what to do; empty: it is.
QString CalibrationPage::stateOfExamples() const {
    if (examples_->rowCount() == 0)
        return tr("Choose a task or a file and press Show examples.");
    if (shown_model_ != model_)
        return tr("These examples were cut by the tokenizer of %1: press Show examples.").arg(shown_model_);
    if (run_bar_->shown(shown_) != choice_)
        return tr("The fields above have changed: press Show examples.");
    return {};
}

void CalibrationPage::showExample() {
    const int row = table_->currentRow();
    if (row < 0)
        editor_->clear();
    else
        editor_->setExample(examples_->at(row));
}

void CalibrationPage::run() {
    takeChoice();
    CalibrationChoice measured = shown_;  // the examples that are seen, not fields changed since
    measured = run_bar_->shown(measured);
    const std::vector<Example>& examples = examples_->examples();
    Q_EMIT runWanted(runParams(measured, model_.toStdString(),
                               asTheyCame(examples) ? nlohmann::ordered_json() : sourcesOf(examples)));
}

void CalibrationPage::setRunning(bool running) {
    if (running == running_)
        return;  // a job tells more than once that it runs; Stop stays pressed
    if (running) {
        notice_->clear();
        examples_->clearMeasured();
        findings_->clearMeasured();
        findings_->setCurrentIndex(1);
        for (const int column : {ExamplesModel::loss, ExamplesModel::gradient})
            table_->setColumnHidden(column, false);
    }
    running_ = running;
    run_bar_->setRunning(running);
}

void CalibrationPage::setProgress(const protocol::JobProgress& progress) {
    run_bar_->setProgress(progress);
}

void CalibrationPage::addPoint(const nlohmann::ordered_json& point) {
    const double loss = point.value("loss", std::numeric_limits<double>::quiet_NaN());
    const double norm = point.value("gradient_norm", std::numeric_limits<double>::quiet_NaN());
    examples_->setMeasured(point.value("id", nlohmann::ordered_json()), loss, norm);
    findings_->addMeasured(static_cast<double>(point.value("step", int64_t{0}) + 1), loss, norm);
}

void CalibrationPage::setRunFailure(const QString& message, const QStringList& details) {
    notice_->say(message, details);
}

}  // namespace spd
