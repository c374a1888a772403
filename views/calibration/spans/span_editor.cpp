#include "views/calibration/spans/span_editor.h"

#include <QAction>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QUndoStack>

#include "views/shared/numbers.h"
#include "views/shared/theme.h"
#include "views/shared/token_view/token_view.h"

namespace spd {

namespace {

QToolButton* buttonOf(QAction* action, const QString& text) {
    auto* button = new QToolButton;
    button->setDefaultAction(action);
    QObject::connect(action, &QAction::changed, button, [button, text] { button->setText(text); });
    button->setText(text);
    return button;
}

QString titleOf(const Example& example) {
    const nlohmann::ordered_json& id = example.row.id;
    const QString name = QString::fromStdString(id.is_string() ? id.get<std::string>() : id.dump());
    if (!example.row.problem.empty() && !example.usable())
        return QStringLiteral("%1 \u2013 %2").arg(name, QString::fromStdString(example.row.problem));
    return SpanEditor::tr("%1 \u2013 |S| %2 of %3 tokens%4")
        .arg(name, formatCount(std::ssize(example.choice.span.targets)),
             formatCount(std::ssize(example.row.ids)),
             example.edited() ? SpanEditor::tr(", edited") : QString());
}

}  // namespace

std::vector<ShownToken> shownTokensOf(const Example& example) {
    std::vector<ShownToken> shown;
    for (size_t i = 0; i < example.row.ids.size(); ++i) {
        ShownToken token{.text = QString::fromStdString(example.row.texts[i]), .id = example.row.ids[i]};
        if (i < example.ranges.size() && example.ranges[i].begin < example.ranges[i].end)
            token.note = SpanEditor::tr("characters [%1, %2) of the completion")
                             .arg(example.ranges[i].begin)
                             .arg(example.ranges[i].end);
        else if (example.row.has_text)
            token.note = SpanEditor::tr("prompt: not part of any span");
        shown.push_back(std::move(token));
    }
    return shown;
}

SpanEditor::SpanEditor(QUndoStack& undo, QWidget* parent)
    : QWidget(parent),
      title_(new QLabel),
      view_(new TokenView),
      answer_(new QLabel),
      pattern_(new QLineEdit),
      which_(new QComboBox),
      apply_(new QPushButton(tr("Apply to all"))) {
    view_->setAccessibleName(tr("Tokens of the example"));
    view_->setToolTip({});
    view_->setPlaceholder(
        tr("Pick an example in the table: its tokens appear here, the correctness span filled "
           "and underlined, the prompt dimmed."));
    answer_->setWordWrap(true);
    answer_->setForegroundRole(QPalette::PlaceholderText);
    setPatternAnswer({});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    layout->addLayout(makeHead(undo));
    layout->addWidget(view_, 1);
    layout->addWidget(answer_);
    layout->addLayout(makePattern());
    connect(view_, &TokenView::rangeChosen, this, &SpanEditor::chosen);
    connect(view_, &TokenView::rangeRemoved, this, &SpanEditor::removed);
}

QLayout* SpanEditor::makeHead(QUndoStack& undo) {
    title_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    title_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);  // a long id must not push the table
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid / 2);
    row->addWidget(title_, 1);
    const auto addStep = [&](const QString& text, const QString& tip, const QKeySequence& key, int steps) {
        auto* button = new QToolButton;
        button->setText(text);
        button->setToolTip(QStringLiteral("%1 (%2)").arg(tip, key.toString(QKeySequence::NativeText)));
        button->setAccessibleName(tip);
        button->setShortcut(key);
        connect(button, &QToolButton::clicked, this, [this, steps] { Q_EMIT stepWanted(steps); });
        row->addWidget(button);
    };
    addStep(QStringLiteral("\u2039"), tr("Example before"), QKeySequence(Qt::CTRL | Qt::Key_PageUp), -1);
    addStep(QStringLiteral("\u203a"), tr("Next example"), QKeySequence(Qt::CTRL | Qt::Key_PageDown), 1);
    row->addSpacing(kGrid);
    row->addWidget(buttonOf(undo.createUndoAction(this), tr("Undo")));
    row->addWidget(buttonOf(undo.createRedoAction(this), tr("Redo")));
    return row;
}

QLayout* SpanEditor::makePattern() {
    pattern_->setPlaceholderText(tr("regex, e.g. ####\\s(.*)$"));
    pattern_->setToolTip(
        tr("Sets the span of every picked example: the first group of the match, else the whole "
           "match, searched in the completion. Perl syntax; ^ and $ match at line ends. An example "
           "without a match keeps its span and is listed. One step of undo"));
    pattern_->setAccessibleName(tr("Regular expression for the span"));
    which_->addItem(tr("last match"), static_cast<int>(SpanPattern::Which::last));
    which_->addItem(tr("first match"), static_cast<int>(SpanPattern::Which::first));
    which_->addItem(tr("all matches"), static_cast<int>(SpanPattern::Which::all));
    which_->setToolTip(tr("Which matches of a completion become its span. Default: the last one"));
    which_->setAccessibleName(tr("Which matches"));
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid / 2);
    row->addWidget(pattern_, 1);
    row->addWidget(which_);
    row->addWidget(apply_);
    connect(pattern_, &QLineEdit::returnPressed, this, &SpanEditor::wantPattern);
    connect(apply_, &QPushButton::clicked, this, &SpanEditor::wantPattern);
    return row;
}

void SpanEditor::wantPattern() {
    const SpanPattern pattern{.pattern = pattern_->text(),
                              .which = static_cast<SpanPattern::Which>(which_->currentData().toInt())};
    const QString problem = pattern.problem();
    if (problem.isEmpty())
        Q_EMIT patternWanted(pattern);
    else
        setPatternAnswer(tr("Not a regular expression: %1.").arg(problem));
}

void SpanEditor::setExample(const Example& example) {
    view_->setTokens(shownTokensOf(example));
    view_->setPromptTokens(static_cast<int>(example.row.prompt_tokens.value_or(0)));
    setChoice(example);
    const std::vector<int64_t>& targets = example.choice.span.targets;
    if (!targets.empty()) {
        view_->scrollTo(static_cast<int>(targets.back()));
        view_->scrollTo(static_cast<int>(targets.front()));
    }
}

void SpanEditor::setChoice(const Example& example) {
    title_->setText(titleOf(example));
    title_->setToolTip(title_->text());
    view_->setSpans(runsOf(example.choice.span.targets));
}

void SpanEditor::clear() {
    title_->clear();
    view_->setTokens({});
}

void SpanEditor::setPatternWaiting(bool waiting) {
    apply_->setEnabled(!waiting);
}

void SpanEditor::setPatternAnswer(const QString& text) {
    answer_->setText(text.isEmpty()
                         ? tr("Drag over tokens, or Shift + arrows and Enter, to set the span; with Ctrl "
                              "to add to it; Delete takes tokens out of it.")
                         : text);
}

void SpanEditor::focusPattern() {
    pattern_->setFocus();
}

}  // namespace spd
