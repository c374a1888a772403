#include "views/calibration/source_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>

#include "views/shared/numbers.h"
#include "views/shared/theme.h"

namespace spd {

SourceBar::SourceBar(QWidget* parent)
    : QWidget(parent),
      task_(new QComboBox),
      path_(new QLineEdit),
      browse_(new QPushButton(tr("File\u2026"))),
      data_(new QComboBox),
      n_label_(new QLabel(tr("&n"))),
      n_(new QSpinBox),
      seed_label_(new QLabel(tr("see&d"))),
      seed_(new QSpinBox),
      code_span_(new QComboBox),
      tests_(new QCheckBox(tr("with tests"))),
      load_(new QPushButton(tr("Show examples"))) {
    describeData();
    describeNumbers();
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    for (QWidget* widget : std::initializer_list<QWidget*>{task_, path_, browse_, data_, code_span_, tests_,
                                                           n_label_, n_, seed_label_, seed_})
        layout->addWidget(widget, widget == path_ ? 1 : 0);
    layout->addStretch(0);
    layout->addWidget(load_);
    wire();
    setChoice({});
}

void SourceBar::describeData() {
    task_->addItem(tr("math"), QStringLiteral("math"));
    task_->addItem(tr("code"), QStringLiteral("code"));
    task_->addItem(tr("qa"), QStringLiteral("qa"));
    task_->addItem(tr("own file"), QString());
    task_->setToolTip(
        tr("The capability: math (GSM8K), code (MBPP), qa (MMLU), or examples of your own. "
           "Default math. --task, --examples"));
    task_->setAccessibleName(tr("Task"));
    path_->setPlaceholderText(tr("JSON Lines on the engine's machine"));
    path_->setToolTip(
        tr("Lines {\"prompt\",\"completion\",\"spans\":[[from,to)]} in characters of the completion, "
           "or {\"input_ids\",\"target_positions\"}. No default. --examples"));
    path_->setAccessibleName(tr("File of examples"));
    data_->setEditable(true);
    data_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    data_->setMinimumContentsLength(11);
    data_->setToolTip(
        tr("The task's rows: a shipped data set, or a JSON Lines file. Default: the task's own "
           "train split. --data"));
    data_->setAccessibleName(tr("Data set"));
}

void SourceBar::describeNumbers() {
    n_->setRange(1, 1000000);
    n_->setToolTip(
        tr("Examples: the first n of the rows in an order that the seed gives, so that 20 lie in 50. "
           "Default 50 (paper, Figure 4). --n"));
    n_label_->setBuddy(n_);
    seed_->setRange(0, 2147483647);
    seed_->setToolTip(tr("Of the order of the rows, and of all else in the run. Default 42. --seed"));
    seed_label_->setBuddy(seed_);
    for (const char* span : {"first_assertion", "expected_value", "all_assertions"})
        code_span_->addItem(QString::fromLatin1(span));
    code_span_->setToolTip(tr("What counts of a program's tests. Default first_assertion. --code-span"));
    code_span_->setAccessibleName(tr("Span of a program"));
    tests_->setToolTip(
        tr("tests_in_prompt: the prompt of a program names its tests. Default: off. --tests-in-prompt"));
    load_->setToolTip(tr("Read the examples and mark their spans; nothing is computed yet"));
}

void SourceBar::wire() {
    connect(task_, &QComboBox::currentIndexChanged, this, &SourceBar::showFields);
    connect(browse_, &QPushButton::clicked, this, &SourceBar::fileWanted);
    connect(load_, &QPushButton::clicked, this, &SourceBar::loadWanted);
    connect(path_, &QLineEdit::returnPressed, this, &SourceBar::loadWanted);
    for (QComboBox* box : {task_, data_, code_span_})
        connect(box, &QComboBox::currentTextChanged, this, &SourceBar::changed);
    for (QSpinBox* box : {n_, seed_})
        connect(box, &QSpinBox::valueChanged, this, &SourceBar::changed);
    connect(tests_, &QCheckBox::toggled, this, &SourceBar::changed);
    connect(path_, &QLineEdit::textChanged, this, &SourceBar::changed);
}

void SourceBar::setTasks(const protocol::TaskList& tasks) {
    tasks_ = tasks;
    const QSignalBlocker quiet(data_);
    const QString kept = data_->currentText();
    data_->clear();
    data_->addItem(QString());
    for (const protocol::TaskList::DataSet& set : tasks.data_sets) {
        data_->addItem(QString::fromStdString(set.name));
        data_->setItemData(
            data_->count() - 1,
            tr("%1 rows, licence %2").arg(formatCount(set.rows), QString::fromStdString(set.licence)),
            Qt::ToolTipRole);
    }
    data_->setCurrentText(kept);
    showFields();
}

void SourceBar::showFields() {
    const QString task = task_->currentData().toString();
    const bool own = task.isEmpty();
    for (QWidget* widget : std::initializer_list<QWidget*>{path_, browse_})
        widget->setVisible(own);
    for (QWidget* widget : std::initializer_list<QWidget*>{data_, n_label_, n_, seed_label_, seed_})
        widget->setVisible(!own);
    for (QWidget* widget : std::initializer_list<QWidget*>{code_span_, tests_})
        widget->setVisible(task == u"code");
    QString usual = tr("its own data");
    for (const protocol::TaskList::Task& known : tasks_.tasks)
        if (QString::fromStdString(known.task) == task)
            usual = QString::fromStdString(known.data);
    data_->lineEdit()->setPlaceholderText(usual);
}

void SourceBar::setChoice(const CalibrationChoice& choice) {
    const QSignalBlocker quiet(this);
    task_->setCurrentIndex(std::max(0, task_->findData(QString::fromStdString(choice.task))));
    path_->setText(QString::fromStdString(choice.path));
    data_->setCurrentText(QString::fromStdString(choice.data));
    n_->setValue(static_cast<int>(choice.n));
    seed_->setValue(static_cast<int>(choice.seed));
    code_span_->setCurrentText(QString::fromStdString(choice.code_span));
    tests_->setChecked(choice.tests_in_prompt);
    showFields();
}

CalibrationChoice SourceBar::shown(CalibrationChoice choice) const {
    choice.task = task_->currentData().toString().toStdString();
    choice.path = path_->text().trimmed().toStdString();
    choice.data = data_->currentText().trimmed().toStdString();
    choice.n = n_->value();
    choice.seed = seed_->value();
    choice.code_span = code_span_->currentText().toStdString();
    choice.tests_in_prompt = tests_->isChecked();
    return choice;
}

void SourceBar::setWaiting(bool waiting) {
    load_->setEnabled(!waiting);
    load_->setText(waiting ? tr("Reading\u2026") : tr("Show examples"));
}

}  // namespace spd
