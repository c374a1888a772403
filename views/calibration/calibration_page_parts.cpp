// How the Calibration page is put together.

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QSplitter>
#include <QStackedLayout>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/calibration/calibration_page.h"
#include "views/calibration/examples/examples_model.h"
#include "views/calibration/findings.h"
#include "views/calibration/run_bar.h"
#include "views/calibration/source_bar.h"
#include "views/calibration/spans/span_editor.h"
#include "views/shared/empty_page.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/table/table_view.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

EmptyPage::Words emptyWords() {
    return {
        .title = CalibrationPage::tr("Calibration"),
        .purpose = CalibrationPage::tr(
            "A few solved examples tell which directions of the K and V spaces carry the answers. The engine "
            "runs them forwards and backwards and sums the gradients over each correctness span."),
        .first_step = CalibrationPage::tr(
            "Choose a model first, then a task and the number of examples (50 in the paper)."),
        .button = CalibrationPage::tr("Choose a model\u2026")};
}

}  // namespace

CalibrationPage::CalibrationPage(QWidget* parent)
    : QWidget(parent),
      stack_(new QStackedLayout(this)),
      empty_(new EmptyPage(emptyWords())),
      source_(new SourceBar),
      summary_(new QLabel),
      notice_(new NoticeLine),
      search_(new QLineEdit),
      filter_(new QComboBox),
      examples_(new ExamplesModel(this)),
      table_(new TableView(examples_, tr("Calibration examples"))),
      editor_(new SpanEditor(undo_)),
      findings_(new Findings),
      run_bar_(new RunBar) {
    stack_->addWidget(empty_);
    stack_->addWidget(makeContent());
    wire();
    wireTable();
    showCounts();
}

QWidget* CalibrationPage::makeContent() {
    auto* upper = new QSplitter(Qt::Horizontal);
    upper->addWidget(makeTable());
    upper->addWidget(editor_);
    upper->setChildrenCollapsible(false);
    upper->setSizes({430, 400});
    auto* both = new QSplitter(Qt::Vertical);
    both->addWidget(upper);
    both->addWidget(findings_);
    both->setChildrenCollapsible(false);
    both->setStretchFactor(0, 1);
    both->setSizes({270, 180});
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->setSpacing(kGrid);
    layout->addWidget(source_);
    layout->addWidget(summary_);
    layout->addWidget(notice_);
    layout->addWidget(both, 1);
    layout->addWidget(run_bar_);
    return content;
}

QWidget* CalibrationPage::makeTable() {
    search_->setPlaceholderText(tr("Search examples"));
    search_->setClearButtonEnabled(true);
    search_->setAccessibleName(tr("Search examples"));
    search_->setToolTip(tr("Words of id, prompt, completion; all must be there"));
    filter_->addItem(tr("all"), QString());
    filter_->addItem(tr("without a span"), QStringLiteral("#nospan"));
    filter_->addItem(tr("edited"), QStringLiteral("#edited"));
    filter_->addItem(tr("left out"), QStringLiteral("#left-out"));
    filter_->setToolTip(tr("Which examples the table lists"));
    filter_->setAccessibleName(tr("Listed examples"));
    auto* picks = new QToolButton;
    picks->setText(tr("Pick"));
    picks->setToolTip(
        tr("Pick the listed examples, or leave them out of the run (Space: the selected ones)"));
    picks->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(picks);
    menu->addAction(tr("Pick all that are listed"), this, [this] { pick(table_->allShownRows(), true); });
    menu->addAction(tr("Leave all that are listed out"), this,
                    [this] { pick(table_->allShownRows(), false); });
    picks->setMenu(menu);
    const int character = fontMetrics().averageCharWidth();
    const int widths[] = {19, 12, 11, 6, 8, 7, 13};
    for (int column = 0; column < ExamplesModel::columns; ++column)
        table_->setColumnWidth(column, widths[column] * character);
    table_->setTextElideMode(Qt::ElideMiddle);  // ids differ at their ends
    table_->horizontalHeader()->setMinimumSectionSize(4 * character);
    table_->horizontalHeader()->setSectionResizeMode(ExamplesModel::prompt, QHeaderView::Stretch);
    for (const int column : {ExamplesModel::loss, ExamplesModel::gradient})
        table_->setColumnHidden(column, true);  // until a run fills them
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid / 2);
    row->addWidget(search_, 1);
    row->addWidget(filter_);
    row->addWidget(picks);
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    layout->addLayout(row);
    layout->addWidget(table_, 1);
    return widget;
}

void CalibrationPage::wireTable() {
    const auto search = [this] {
        table_->setSearch(filter_->currentData().toString() + u' ' + search_->text());
    };
    connect(search_, &QLineEdit::textChanged, this, search);
    connect(filter_, &QComboBox::currentIndexChanged, this, search);
    connect(table_, &TableView::rowCurrent, this, &CalibrationPage::showExample);
    connect(examples_, &ExamplesModel::pickWanted, this,
            [this](int row, bool picked) { pick({row}, picked); });
    auto* toggle = new QAction(tr("Pick or leave out"), table_);
    toggle->setShortcut(Qt::Key_Space);
    toggle->setShortcutContext(Qt::WidgetShortcut);
    table_->addAction(toggle);
    connect(toggle, &QAction::triggered, this, [this] {
        const std::vector<int> rows = table_->selectedRows();
        if (!rows.empty())
            pick(rows, !examples_->at(rows.front()).choice.picked);
    });
    connect(editor_, &SpanEditor::stepWanted, table_, &TableView::moveBy);
    connect(editor_, &SpanEditor::patternWanted, this, &CalibrationPage::applyPattern);
    connect(editor_, &SpanEditor::chosen, this, [this](int first, int last, bool add) {
        const int row = table_->currentRow();
        if (row < 0)
            return;
        const Example& example = examples_->at(row);
        setSpan(row, choose(example.row, example.ranges, example.choice.span, first, last, add),
                tr("Set a span"));
    });
    connect(editor_, &SpanEditor::removed, this, [this](int first, int last) {
        const int row = table_->currentRow();
        if (row < 0)
            return;
        const Example& example = examples_->at(row);
        setSpan(row, remove(example.row, example.ranges, example.choice.span, first, last),
                tr("Take tokens out of a span"));
    });
}

void CalibrationPage::wire() {
    connect(empty_, &EmptyPage::clicked, this, &CalibrationPage::firstStepWanted);
    connect(source_, &SourceBar::changed, this, &CalibrationPage::takeChoice);
    connect(source_, &SourceBar::loadWanted, this, &CalibrationPage::load);
    connect(source_, &SourceBar::fileWanted, this, &CalibrationPage::fileWanted);
    connect(run_bar_, &RunBar::changed, this, &CalibrationPage::takeChoice);
    connect(run_bar_, &RunBar::runWanted, this, &CalibrationPage::run);
    connect(run_bar_, &RunBar::stopWanted, this, &CalibrationPage::stopWanted);
    connect(run_bar_, &RunBar::copyWanted, this, [this] {
        QApplication::clipboard()->setText(
            commandLine(choice_, model_.toStdString(), !asTheyCame(examples_->examples())));
    });
}

}  // namespace spd
