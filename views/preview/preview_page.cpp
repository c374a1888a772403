#include "views/preview/preview_page.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QStackedLayout>

#include "views/shared/empty_page.h"
#include "views/shared/theme.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

constexpr size_t kFewestPanes = 2;
constexpr size_t kMostPanes = 4;

/// Sampling by name, as the command line's methods have it.
struct Preset {
    const char* name;
    bool greedy;
    double temperature;
    int top_k;
    double top_p;
};
constexpr Preset kPresets[] = {{QT_TR_NOOP("paper"), false, 1.0, 0, 1.0},
                               {QT_TR_NOOP("greedy"), true, 1.0, 0, 1.0},
                               {QT_TR_NOOP("SSD"), false, 1.6, 20, 0.8}};

EmptyPage::Words emptyWords() {
    return {.title = PreviewPage::tr("Preview"),
            .purpose = PreviewPage::tr(
                "One prompt, several completions side by side: the base model, the model with the "
                "projection, a trained adapter. All panes draw the same noise, so what differs is the "
                "intervention."),
            .first_step = PreviewPage::tr("Choose a model first."),
            .button = PreviewPage::tr("Go to Model")};
}

}  // namespace

PreviewPage::PreviewPage(QWidget* parent)
    : QWidget(parent),
      stack_(new QStackedLayout(this)),
      empty_(new EmptyPage(emptyWords())),
      prompt_(new QPlainTextEdit),
      format_(new QComboBox),
      preset_(new QComboBox),
      temperature_(new QDoubleSpinBox),
      most_(new QSpinBox),
      seed_(new QSpinBox),
      run_(new QPushButton(tr("Run"))),
      stop_(new QPushButton(tr("Stop"))),
      more_(new QPushButton(tr("More"))),
      fewer_(new QPushButton(tr("Fewer"))),
      said_(new QLabel),
      pane_row_(new QHBoxLayout) {
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->setSpacing(kGrid);
    layout->addWidget(makeTop());
    layout->addWidget(said_);
    layout->addLayout(pane_row_, 1);
    pane_row_->setSpacing(kInner);
    said_->setWordWrap(true);
    said_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    stack_->addWidget(empty_);
    stack_->addWidget(content);
    setPaneCount(kFewestPanes);
    panes_[1]->setChoice({.kind = PaneChoice::Kind::projection});
    connect(empty_, &EmptyPage::clicked, this, &PreviewPage::firstStepWanted);
    connect(run_, &QPushButton::clicked, this, &PreviewPage::runWanted);
    connect(stop_, &QPushButton::clicked, this, &PreviewPage::stopWanted);
    connect(more_, &QPushButton::clicked, this, [this] { setPaneCount(panes_.size() + 1); });
    connect(fewer_, &QPushButton::clicked, this, [this] { setPaneCount(panes_.size() - 1); });
    connect(preset_, &QComboBox::activated, this, &PreviewPage::usePreset);
    connect(prompt_, &QPlainTextEdit::textChanged, this, &PreviewPage::showRun);
    showRun();
}

QWidget* PreviewPage::makeTop() {
    prompt_->setPlaceholderText(tr("A prompt, completed as it stands"));
    prompt_->setAccessibleName(tr("Prompt"));
    prompt_->setMaximumHeight(4 * fontMetrics().height() + kGrid);
    format_->addItems({tr("raw"), tr("chat")});
    format_->setToolTip(
        tr("raw: completed as it stands, the default (paper). chat: rendered with the model's template. "
           "--chat"));
    for (const Preset& preset : kPresets)
        preset_->addItem(tr(preset.name));
    preset_->setToolTip(
        tr("paper: temperature 1, nothing cut. greedy: the likeliest token. SSD: 1.6, top-k 20, top-p 0.8"));
    temperature_->setRange(0.01, 100);
    temperature_->setSingleStep(0.1);
    temperature_->setValue(1);
    temperature_->setPrefix(tr("T "));
    temperature_->setToolTip(tr("Temperature. Default 1 (paper, 4.1). --temperature"));
    most_->setRange(1, 100'000);
    most_->setValue(64);
    most_->setPrefix(tr("max "));
    most_->setToolTip(tr("Longest completion, tokens. --max-new-tokens"));
    seed_->setRange(0, 2'000'000'000);
    seed_->setValue(42);
    seed_->setPrefix(tr("seed "));
    seed_->setToolTip(tr("Of the noise, which is the same in every pane. --seed"));
    more_->setToolTip(tr("Another pane; four at most"));
    fewer_->setToolTip(tr("Without the last pane; two at least"));
    run_->setDefault(true);
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(prompt_);
    auto* row = new QHBoxLayout;
    for (QWidget* part :
         std::initializer_list<QWidget*>{format_, preset_, temperature_, most_, seed_, fewer_, more_})
        row->addWidget(part);
    row->addStretch(1);
    row->addWidget(run_);
    row->addWidget(stop_);
    layout->addLayout(row);
    return widget;
}

void PreviewPage::setPaneCount(size_t count) {
    while (panes_.size() > count) {
        panes_.back()->deleteLater();
        panes_.back()->hide();
        panes_.pop_back();
    }
    while (panes_.size() < count) {
        auto* pane = new PreviewPane;
        pane->setOffered(has_projection_, has_adapter_);
        pane_row_->addWidget(pane, 1);
        connect(pane, &PreviewPane::tokenHovered, this, [this](int token) {
            for (PreviewPane* other : panes_)
                other->setLinked(token);
        });
        connect(pane, &PreviewPane::choiceChanged, this, &PreviewPage::showRun);
        panes_.push_back(pane);
    }
    fewer_->setEnabled(count > kFewestPanes);
    more_->setEnabled(count < kMostPanes);
    showRun();
}

void PreviewPage::usePreset(int index) {
    temperature_->setValue(kPresets[index].temperature);
    temperature_->setEnabled(!kPresets[index].greedy);
}

void PreviewPage::setOffered(bool model, bool projection, bool adapter) {
    has_projection_ = projection;
    has_adapter_ = adapter;
    stack_->setCurrentIndex(model ? 1 : 0);
    for (PreviewPane* pane : panes_)
        pane->setOffered(projection, adapter);
    showRun();
}

std::vector<PaneChoice> PreviewPage::choices() const {
    std::vector<PaneChoice> choices;
    for (const PreviewPane* pane : panes_)
        choices.push_back(pane->choice());
    return choices;
}

ordered_json PreviewPage::settings() const {
    const Preset& preset = kPresets[preset_->currentIndex()];
    return {{"prompt", prompt_->toPlainText().toStdString()},
            {"chat", format_->currentIndex() == 1},
            {"greedy", preset.greedy},
            {"temperature", temperature_->value()},
            {"top_k", preset.top_k},
            {"top_p", preset.top_p},
            {"max_new_tokens", most_->value()},
            {"seed", seed_->value()}};
}

void PreviewPage::setPrompt(const QString& text) {
    prompt_->setPlainText(text);
}

void PreviewPage::begin() {
    running_ = true;
    values_.begin(panes_.size());
    said_->setText(tr("Waits for its turn."));
    showPanes();
    showRun();
}

void PreviewPage::take(const ordered_json& output) {
    if (!output.is_array())
        return;
    for (const ordered_json& item : output)
        values_.take(item);
    said_->setText(tr("tokens of the prompt: %1").arg(values_.promptTokens()));
    showPanes();
}

void PreviewPage::end(const QString& message) {
    running_ = false;
    if (!message.isEmpty())
        said_->setText(message);
    showRun();
}

/// A pane that was added since the run stays empty.
void PreviewPage::showPanes() {
    for (size_t i = 0; i < std::min(panes_.size(), values_.panes().size()); ++i)
        panes_[i]->setValues(values_.panes()[i],
                             i == 0 ? std::nullopt : firstDivergence(values_.panes()[i], values_.panes()[0]));
}

void PreviewPage::showRun() {
    QString problem;
    if (prompt_->toPlainText().isEmpty())
        problem = tr("A prompt is needed.");
    for (const PreviewPane* pane : panes_) {
        const PaneChoice::Kind kind = pane->choice().kind;
        if (kind == PaneChoice::Kind::projection && !has_projection_)
            problem = tr("A projection needs a calibration: run one first, or make the pane base.");
        if (kind == PaneChoice::Kind::adapter && !has_adapter_)
            problem = tr("The run has no adapter yet.");
    }
    run_->setEnabled(!running_ && problem.isEmpty());
    run_->setToolTip(problem);
    stop_->setEnabled(running_);
    fewer_->setEnabled(!running_ && panes_.size() > kFewestPanes);
    more_->setEnabled(!running_ && panes_.size() < kMostPanes);
}

}  // namespace spd
