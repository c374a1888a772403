#include "views/calibration/run_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QToolButton>

#include "views/shared/icons.h"
#include "views/shared/numbers.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

/// A label with its box beside it, in reach of Alt + its letter.
void addField(QHBoxLayout* row, const QString& name, QComboBox* box, const QStringList& values,
              const QString& tip) {
    auto* label = new QLabel(name);
    label->setBuddy(box);
    label->setToolTip(tip);
    box->addItems(values);
    box->setToolTip(tip);
    box->setAccessibleName(QString(name).remove(u'&'));
    row->addWidget(label);
    row->addWidget(box);
}

}  // namespace

QString progressText(const protocol::JobProgress& progress) {
    const Progress& now = progress.progress;
    QString text = QString::fromStdString(now.phase);
    if (now.total > 0)
        text += RunBar::tr(" %1 of %2").arg(formatCount(now.done), formatCount(now.total));
    const QString rate = formatRate(progress.rate, RunBar::tr("ex"));
    if (!rate.isEmpty())
        text += QStringLiteral(", ") + rate;
    return text + QStringLiteral(", ") + formatTimeLeft(progress.seconds_left);
}

RunBar::RunBar(QWidget* parent)
    : QWidget(parent),
      stack_(new QStackedWidget),
      loss_(new QComboBox),
      site_(new QComboBox),
      layers_(new QComboBox),
      dtype_(new QComboBox),
      per_head_(new QCheckBox(tr("per &head"))),
      run_(new QPushButton(tr("Run calibration"))),
      bar_(new QProgressBar),
      said_(new QLabel),
      stop_(new QPushButton(tr("Stop"))) {
    stack_->addWidget(makeSettings());
    stack_->addWidget(makeProgress());
    stack_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(stack_);
    for (QComboBox* box : {loss_, site_, layers_, dtype_})
        connect(box, &QComboBox::currentTextChanged, this, &RunBar::changed);
    connect(per_head_, &QCheckBox::toggled, this, &RunBar::changed);
    connect(run_, &QPushButton::clicked, this, &RunBar::runWanted);
    connect(stop_, &QPushButton::clicked, this, [this] {
        stop_->setEnabled(false);
        stop_->setText(tr("Stopping\u2026"));
        Q_EMIT stopWanted();
    });
    setChoice({});
}

QWidget* RunBar::makeSettings() {
    auto* widget = new QWidget;
    auto* row = new QHBoxLayout(widget);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    addField(
        row, tr("l&oss"), loss_,
        {QStringLiteral("aligned"), QStringLiteral("full_sequence"), QStringLiteral("full_completion")},
        tr("Whose prediction counts: aligned, the tokens of the span (paper, Eq. 6); full_sequence, every "
           "token (Table 5); full_completion. Default aligned. --loss"));
    addField(
        row, tr("&site"), site_,
        {QStringLiteral("proj"), QStringLiteral("post_norm"), QStringLiteral("post_rope")},
        tr("Where K is taken: proj, the output of k_proj; post_norm, behind k_norm (only models that have "
           "it); post_rope, behind RoPE. V is always taken at v_proj. Default proj. --site"));
    layers_->setEditable(true);
    addField(
        row, tr("la&yers"), layers_, {QStringLiteral("all"), QStringLiteral("last_mid")},
        tr("Layers that are measured, from 0: all, last_mid, or numbers like 11,23. Default here: all, it is "
           "one pass; the command line's default is last_mid. --layers"));
    layers_->setMaximumWidth(14 * fontMetrics().averageCharWidth());
    addField(row, tr("dt&ype"), dtype_, {QStringLiteral("float32"), QStringLiteral("bfloat16")},
             tr("Of the forward and backward pass. Default float32: the rounding of bfloat16 alone turns the "
                "subspace at half rank. --dtype"));
    per_head_->setToolTip(
        tr("One basis a KV head, rank r for each. Default: off, the heads of a layer share one "
           "basis. --per-head"));
    row->addWidget(per_head_);
    row->addStretch();
    auto* copy = new QToolButton;
    copy->setIcon(icon(QStringLiteral("copy")));
    copy->setToolTip(tr("Copy the command that does the same without the window"));
    copy->setAccessibleName(tr("Copy command"));
    connect(copy, &QToolButton::clicked, this, &RunBar::copyWanted);
    row->addWidget(copy);
    run_->setDefault(true);
    row->addWidget(run_);
    return widget;
}

QWidget* RunBar::makeProgress() {
    auto* widget = new QWidget;
    auto* row = new QHBoxLayout(widget);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    bar_->setTextVisible(false);
    bar_->setAccessibleName(tr("Progress of the calibration"));
    stop_->setToolTip(
        tr("Stops at the next example; what is done is saved, and a later run goes on from there"));
    row->addWidget(bar_, 1);
    row->addWidget(said_);
    row->addWidget(stop_);
    return widget;
}

void RunBar::setChoice(const CalibrationChoice& choice) {
    const QSignalBlocker quiet(this);
    loss_->setCurrentText(QString::fromStdString(choice.loss));
    site_->setCurrentText(QString::fromStdString(choice.site));
    layers_->setCurrentText(QString::fromStdString(choice.layers));
    dtype_->setCurrentText(QString::fromStdString(choice.dtype));
    per_head_->setChecked(choice.per_head);
}

CalibrationChoice RunBar::shown(CalibrationChoice choice) const {
    choice.loss = loss_->currentText().toStdString();
    choice.site = site_->currentText().toStdString();
    choice.layers = layers_->currentText().remove(u' ').toStdString();
    choice.dtype = dtype_->currentText().toStdString();
    choice.per_head = per_head_->isChecked();
    return choice;
}

void RunBar::setProblem(const QString& problem) {
    run_->setEnabled(problem.isEmpty());
    run_->setToolTip(
        problem.isEmpty()
            ? tr("Forwards and backwards through every picked example; the spectra appear on the "
                 "Subspace page")
            : problem);
}

void RunBar::setRunning(bool running) {
    stack_->setCurrentIndex(running ? 1 : 0);
    stop_->setEnabled(true);
    stop_->setText(tr("Stop"));
    bar_->setRange(0, 0);
    said_->setText(tr("waits for its turn"));
}

void RunBar::setProgress(const protocol::JobProgress& progress) {
    bar_->setRange(0, static_cast<int>(progress.progress.total));
    bar_->setValue(static_cast<int>(progress.progress.done));
    said_->setText(progressText(progress));
}

}  // namespace spd
