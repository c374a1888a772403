#include "views/corpus/corpus_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QStackedLayout>
#include <QTableView>

#include "core/base/error.h"
#include "views/corpus/corpus_model.h"
#include "views/corpus/generation_fields.h"
#include "views/shared/empty_page.h"
#include "views/shared/form/settings_form.h"
#include "views/shared/numbers.h"
#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"

namespace spd {

using nlohmann::ordered_json;
using protocol::JobState;

namespace {

EmptyPage::Words emptyWords() {
    return {
        .title = CorpusPage::tr("Corpus"),
        .purpose = CorpusPage::tr(
            "The texts that the model with the projection writes for the training prompts. They "
            "become the training data as they are, right or wrong."),
        .first_step = CorpusPage::tr("Pick layers and rank on the Subspace page, then generate the corpus."),
        .button = CorpusPage::tr("Go to Subspace")};
}

/// A histogram as the steps of a curve.
Curve stepsOf(const Histogram& histogram) {
    Curve curve{.name = CorpusPage::tr("completions"), .x = {}, .y = {}};
    for (size_t bin = 0; bin < histogram.count.size(); ++bin) {
        curve.x.insert(curve.x.end(), {histogram.from[bin], histogram.from[bin + 1]});
        curve.y.insert(curve.y.end(), {histogram.count[bin], histogram.count[bin]});
    }
    return curve;
}

}  // namespace

CorpusPage::CorpusPage(QWidget* parent)
    : QWidget(parent),
      model_(new CorpusModel(this)),
      filtered_(new QSortFilterProxyModel(this)),
      stack_(new QStackedLayout(this)),
      empty_(new EmptyPage(emptyWords())),
      table_(new QTableView),
      search_(new QLineEdit),
      text_(new QPlainTextEdit),
      method_(new QComboBox),
      projection_(new QLabel),
      form_place_(new QVBoxLayout),
      lengths_(new Plot(tr("Lengths"))),
      statistics_(new QLabel),
      state_(new QLabel),
      generate_(new QPushButton),
      stop_(new QPushButton(tr("Pause"))) {
    auto* content = new QWidget;
    auto* layout = new QHBoxLayout(content);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->setSpacing(kInner);
    layout->addWidget(makeReading(), 1);
    layout->addWidget(makeSide());
    stack_->addWidget(empty_);
    stack_->addWidget(content);
    connect(empty_, &EmptyPage::clicked, this, &CorpusPage::firstStepWanted);
    connect(generate_, &QPushButton::clicked, this, [this] {
        if (job_ && canResume(*job_))
            Q_EMIT resumeWanted(job_->id);
        else
            Q_EMIT generateWanted(settings());
    });
    connect(stop_, &QPushButton::clicked, this, [this] {
        stop_->setEnabled(false);
        Q_EMIT stopWanted(job_->id);
    });
    setMethod(QString::fromLatin1(kCorpusMethods[0]));
    showState();
}

/// The form's defaults are the method's; what was typed over other defaults stays.
void CorpusPage::setMethod(const QString& method) {
    ordered_json typed = ordered_json::object();
    if (form_ != nullptr) {
        const ordered_json values = form_->values();
        for (const Field& field : form_->fields())
            if (values[field.key] != field.default_value)
                typed[field.key] = values[field.key];
        form_place_->removeWidget(form_);
        form_->deleteLater();
    }
    method_->setCurrentText(method);
    form_ = new SettingsForm(generationFields(method.toStdString()));
    form_->setValues(typed);
    form_place_->addWidget(form_);
    connect(form_, &SettingsForm::changed, this, [this] {
        showState();
        Q_EMIT settingsChanged();
    });
    projection_->setVisible(method == QStringLiteral("spd"));
    showState();
}

void CorpusPage::setReady(bool ready, const QString& projection) {
    projection_->setText(tr("projected: %1").arg(projection));
    stack_->setCurrentIndex(ready || job_ ? 1 : 0);
}

void CorpusPage::setJob(const std::optional<protocol::Job>& job) {
    if (!job || !job_ || job->id != job_->id) {
        model_->clear();
        progress_.reset();
        text_->clear();
        showCharts();
    }
    job_ = job;
    if (job_)
        stack_->setCurrentIndex(1);
    showState();
}

void CorpusPage::setProgress(const protocol::JobProgress& progress) {
    progress_ = progress;
    showState();
}

QString CorpusPage::addRecords(const std::vector<ordered_json>& records) {
    QString refused;
    try {
        model_->append(records);
    } catch (const Error& error) {
        refused = QString::fromUtf8(error.what());
    }
    showCharts();
    showState();
    return refused;
}

void CorpusPage::clearRecords() {
    model_->clear();
    showCharts();
}

int64_t CorpusPage::shownRecords() const {
    return model_->rowCount();
}

ordered_json CorpusPage::settings() const {
    ordered_json values = form_->values();
    values["method"] = method_->currentText().toStdString();
    return values;
}

void CorpusPage::setSettings(const ordered_json& values) {
    setMethod(QString::fromStdString(values.value("method", std::string(kCorpusMethods[0]))));
    form_->setValues(values);
}

QStringList CorpusPage::differences() const {
    return spd::differences(form_->fields(), form_->values());
}

void CorpusPage::showCurrent() {
    const QModelIndex index = filtered_->mapToSource(table_->currentIndex());
    if (!index.isValid())
        return;
    const CorpusRow& row = model_->content().rows()[static_cast<size_t>(index.row())];
    text_->setPlainText(row.prompt + QStringLiteral("\n\u2500\u2500\u2500\n") + row.completion);
}

void CorpusPage::showCharts() {
    const CorpusRows& content = model_->content();
    if (content.rows().empty()) {
        lengths_->setCurves({});
        statistics_->clear();
        return;
    }
    lengths_->setCurves({stepsOf(lengthHistogram(content.rows(), 24))});
    statistics_->setText(QString::fromStdString(content.statistics().describe()));
}

QString CorpusPage::stateText() const {
    if (!job_)
        return {};
    switch (job_->state) {
        case JobState::queued:
            return tr("Waits in the queue.");
        case JobState::running:
            if (job_->stopping)
                return tr("Pausing: finished completions are kept.");
            if (progress_)
                return tr("%1 of %2. %3. %4 tokens/s")
                    .arg(progress_->progress.done)
                    .arg(progress_->progress.total)
                    .arg(formatTimeLeft(progress_->seconds_left),
                         formatNumber(progress_->progress.tokens_per_second));
            return tr("Starts.");
        case JobState::finished:
            return tr("Done.");
        case JobState::failed:
            return tr("Stopped by an error: %1")
                .arg(QString::fromStdString(job_->failure ? job_->failure->message : ""));
        default:
            return tr("Paused; what is finished is kept. Resume goes on.");
    }
}

void CorpusPage::showState() {
    const bool at_work = job_ && !hasEnded(job_->state);
    const QString problem = form_->problem();
    state_->setText(stateText());
    state_->setVisible(!state_->text().isEmpty());
    stop_->setEnabled(at_work && !job_->stopping);
    generate_->setText(job_ && canResume(*job_) ? tr("Resume") : tr("Generate"));
    generate_->setEnabled(!at_work && problem.isEmpty());
    generate_->setToolTip(problem);
    form_->setEnabled(!at_work);
    method_->setEnabled(!at_work);
}

}  // namespace spd
