#pragma once

#include <QWidget>

#include "views/calibration/examples/example_set.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QToolButton;
class QUndoStack;

namespace spd {

class TokenView;

/// One example as tokens, its span filled, its prompt dimmed; the span is set by drag or keys, or for all
/// examples by a regular expression. It tells what is wanted and shows what it is given. GUI thread.
class SpanEditor : public QWidget {
    Q_OBJECT

public:
    explicit SpanEditor(QUndoStack& undo, QWidget* parent = nullptr);

    void setExample(const Example& example);
    /// Its span is another one: the tokens stay where they are.
    void setChoice(const Example& example);
    void clear();
    /// While a pattern runs over the examples.
    void setPatternWaiting(bool waiting);
    /// What the last pattern found, or what is wrong with it.
    void setPatternAnswer(const QString& text);
    void focusPattern();

Q_SIGNALS:
    void chosen(int first, int last, bool add);
    void removed(int first, int last);
    void patternWanted(const spd::SpanPattern& pattern);
    void stepWanted(int steps);  ///< the next example, or the one before

private:
    QLayout* makeHead(QUndoStack& undo);
    QLayout* makePattern();
    void wantPattern();

    QLabel* title_;
    TokenView* view_;
    QLabel* answer_;
    QLineEdit* pattern_;
    QComboBox* which_;
    QPushButton* apply_;
};

/// The example's tokens with their places in the completion in their tooltips.
std::vector<ShownToken> shownTokensOf(const Example& example);

}  // namespace spd
