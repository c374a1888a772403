// How the Model page is put together.

#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QSplitter>
#include <QStackedLayout>
#include <QTabWidget>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/model/load_report_model.h"
#include "views/model/memory_bars.h"
#include "views/model/model_page.h"
#include "views/model/models_model.h"
#include "views/model/try/try_messages.h"
#include "views/model/try/try_text.h"
#include "views/shared/empty_page.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/table/table_view.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

EmptyPage::Words emptyWords() {
    return {.title = ModelPage::tr("Model"),
            .purpose = ModelPage::tr(
                "A language model to study: a Hugging Face checkpoint folder, a model of the Hugging Face "
                "cache, or one in the workspace. This page shows what is in it and whether it fits into "
                "memory."),
            .first_step = ModelPage::tr("Connect to an engine, then choose a model."),
            .button = ModelPage::tr("Connect\u2026")};
}

QLabel* quiet(QLabel* label) {
    label->setWordWrap(true);
    label->setForegroundRole(QPalette::PlaceholderText);
    return label;
}

}  // namespace

ModelPage::ModelPage(QWidget* parent)
    : QWidget(parent),
      stack_(new QStackedLayout(this)),
      empty_(new EmptyPage(emptyWords())),
      name_(new QLineEdit),
      refresh_(new QToolButton),
      folder_(new QPushButton(tr("Folder\u2026"))),
      loaded_(new QLabel),
      unload_(new QToolButton),
      search_(new QLineEdit),
      models_(new ModelsModel(this)),
      list_(new TableView(models_, tr("Models"))),
      places_(quiet(new QLabel)),
      notice_(new NoticeLine),
      summary_(new QLabel),
      use_(new QPushButton),
      tabs_(new QTabWidget),
      report_(new LoadReportModel(this)),
      report_table_(new TableView(report_, tr("Load report"))),
      context_(new QSpinBox),
      dtype_(new QComboBox),
      bars_(new MemoryBars),
      verdict_(new QLabel),
      try_text_(new TryText),
      try_messages_(new TryMessages),
      soon_(new QTimer(this)) {
    stack_->addWidget(empty_);
    stack_->addWidget(makeContent());
    soon_->setSingleShot(true);
    soon_->setInterval(120);  // a held arrow key runs through the list without asking about each
    setAcceptDrops(true);
    wire();
    setLoaded(std::nullopt);
    showUse();
}

QWidget* ModelPage::makeContent() {
    auto* both = new QSplitter(Qt::Vertical);
    both->addWidget(makeList());
    both->addWidget(makeDetails());
    both->setChildrenCollapsible(false);
    both->setStretchFactor(1, 1);
    both->setSizes({150, 370});
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->setSpacing(kGrid);
    layout->addLayout(makeFinder());
    layout->addWidget(both, 1);
    return content;
}

QLayout* ModelPage::makeFinder() {
    name_->setPlaceholderText(tr("Folder, ORG/NAME of the Hugging Face cache, or a name in the workspace"));
    name_->setToolTip(
        tr("MODEL: a checkpoint folder of the engine's machine, ORG/NAME in the Hugging Face "
           "cache, or a name under the workspace's models/. Enter looks at it. No default"));
    name_->setAccessibleName(tr("Model"));
    folder_->setToolTip(tr("Look through the folders of the engine's machine"));
    refresh_->setText(tr("Refresh"));
    refresh_->setToolTip(tr("Look again for models (F5)"));
    refresh_->setShortcut(Qt::Key_F5);
    search_->setPlaceholderText(tr("Search models"));
    search_->setClearButtonEnabled(true);
    search_->setAccessibleName(tr("Search models"));
    search_->setMaximumWidth(24 * fontMetrics().averageCharWidth());
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(name_, 1);
    row->addWidget(folder_);
    row->addWidget(refresh_);
    row->addSpacing(kGrid);
    row->addWidget(search_);
    return row;
}

QWidget* ModelPage::makeList() {
    unload_->setText(tr("Unload"));
    unload_->setToolTip(tr("Give the memory of the weights back; a later stage loads them again"));
    loaded_->setForegroundRole(QPalette::PlaceholderText);
    list_->setSelectionMode(QAbstractItemView::SingleSelection);
    list_->setMinimumHeight(4 * (fontMetrics().height() + kGrid));
    list_->horizontalHeader()->setSectionResizeMode(ModelsModel::state, QHeaderView::Stretch);
    const int character = fontMetrics().averageCharWidth();
    const int widths[] = {32, 14, 10, 13, 11};
    for (int column = 0; column < ModelsModel::state; ++column)
        list_->setColumnWidth(column, widths[column] * character);
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    auto* row = new QHBoxLayout;
    row->addWidget(places_, 1);
    row->addWidget(loaded_);
    row->addWidget(unload_);
    layout->addWidget(list_, 1);
    layout->addLayout(row);
    return widget;
}

QWidget* ModelPage::makeDetails() {
    summary_->setWordWrap(true);
    summary_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    use_->setDefault(true);
    use_->setToolTip(tr("The run uses this model from now on (Enter in the list)"));
    tabs_->setDocumentMode(true);
    tabs_->addTab(makeReport(), tr("Load report"));
    tabs_->addTab(makeMemory(), tr("Memory"));
    tabs_->addTab(try_text_, tr("Try: text"));
    tabs_->addTab(try_messages_, tr("Try: messages"));
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(summary_, 1);
    row->addWidget(use_);
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addLayout(row);
    layout->addWidget(notice_);
    layout->addWidget(tabs_, 1);
    return widget;
}

QWidget* ModelPage::makeReport() {
    auto* search = new QLineEdit;
    search->setPlaceholderText(tr("Search tensors and facts: q_proj, missing, rope"));
    search->setClearButtonEnabled(true);
    search->setAccessibleName(tr("Search the load report"));
    connect(search, &QLineEdit::textChanged, report_table_, &TableView::setSearch);
    const int character = fontMetrics().averageCharWidth();
    const int widths[] = {13, 42, 8, 16};
    for (int column = 0; column < LoadReportModel::text; ++column)
        report_table_->setColumnWidth(column, widths[column] * character);
    report_table_->horizontalHeader()->setStretchLastSection(true);
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, kGrid, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(search);
    layout->addWidget(report_table_, 1);
    return widget;
}

QWidget* ModelPage::makeMemory() {
    context_->setRange(1, 1 << 20);
    context_->setSingleStep(512);
    context_->setValue(2048);
    context_->setKeyboardTracking(false);
    context_->setToolTip(
        tr("Positions of one sequence of the KV cache, prompt and completion. Default 2 048. "
           "spd inspect --context"));
    dtype_->addItem(tr("its own"), QString());
    for (const char* name : {"float32", "bfloat16", "float16"})
        dtype_->addItem(QString::fromLatin1(name), QString::fromLatin1(name));
    dtype_->setToolTip(
        tr("Element type of the weights for generate and train; calibrate computes in float32. "
           "Default: bfloat16 where the processor has it, else float32. --dtype"));
    auto* context_label = new QLabel(tr("c&ontext, tokens"));
    context_label->setBuddy(context_);
    auto* dtype_label = new QLabel(tr("&dtype"));
    dtype_label->setBuddy(dtype_);
    verdict_->setWordWrap(true);
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(context_label);
    row->addWidget(context_);
    row->addSpacing(kGrid);
    row->addWidget(dtype_label);
    row->addWidget(dtype_);
    row->addStretch();
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, kGrid, 0, 0);
    layout->setSpacing(kInner);
    layout->addLayout(row);
    layout->addWidget(verdict_);
    layout->addWidget(bars_);
    layout->addStretch();
    return widget;
}

void ModelPage::wire() {
    connect(empty_, &EmptyPage::clicked, this, &ModelPage::firstStepWanted);
    connect(name_, &QLineEdit::returnPressed, this, [this] { lookAt(name_->text().trimmed()); });
    connect(folder_, &QPushButton::clicked, this, &ModelPage::folderWanted);
    connect(refresh_, &QToolButton::clicked, this, [this] {
        Q_EMIT refreshWanted();
        if (!model_.isEmpty())
            askAgain();
    });
    connect(unload_, &QToolButton::clicked, this, &ModelPage::unloadWanted);
    connect(search_, &QLineEdit::textChanged, list_, &TableView::setSearch);
    connect(list_, &TableView::rowCurrent, this, [this](int row) {
        if (models_->nameOf(row) != model_)
            lookAt(models_->nameOf(row));
    });
    connect(list_, &TableView::rowActivated, this, [this](int row) {
        if (loads_ && models_->nameOf(row) == model_ && model_ != chosen_)
            Q_EMIT modelChosen(model_);
    });
    connect(use_, &QPushButton::clicked, this, [this] { Q_EMIT modelChosen(model_); });
    connect(soon_, &QTimer::timeout, this, &ModelPage::askAgain);
    connect(context_, &QSpinBox::valueChanged, soon_, qOverload<>(&QTimer::start));
    connect(dtype_, &QComboBox::currentIndexChanged, soon_, qOverload<>(&QTimer::start));
    connect(try_text_, &TryText::tokenizeWanted, this, [this](const QString& text) {
        if (!model_.isEmpty())
            Q_EMIT tokenizeWanted(model_, text);
    });
    connect(try_messages_, &TryMessages::renderWanted, this,
            [this](const nlohmann::ordered_json& messages, bool opening) {
                if (!model_.isEmpty())
                    Q_EMIT renderWanted(model_, messages, opening);
            });
}

}  // namespace spd
