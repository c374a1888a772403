// CorpusPage: how its parts are laid out.

#include <QComboBox>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QTableView>

#include "views/corpus/corpus_model.h"
#include "views/corpus/corpus_page.h"
#include "views/corpus/generation_fields.h"
#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kSideWidth = 250;

}  // namespace

QWidget* CorpusPage::makeReading() {
    filtered_->setSourceModel(model_);
    filtered_->setSortRole(Qt::UserRole);
    filtered_->setFilterKeyColumn(-1);
    filtered_->setFilterCaseSensitivity(Qt::CaseInsensitive);
    table_->setModel(filtered_);
    table_->setSortingEnabled(true);
    table_->sortByColumn(-1, Qt::AscendingOrder);  // as they come
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setShowGrid(false);
    table_->setAlternatingRowColors(true);
    table_->setWordWrap(false);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + kGrid);
    table_->horizontalHeader()->setStretchLastSection(true);
    table_->setColumnWidth(CorpusModel::id, 120);
    table_->setColumnWidth(CorpusModel::tokens, 64);
    table_->setColumnWidth(CorpusModel::ended, 64);
    table_->setAccessibleName(tr("Completions"));
    search_->setPlaceholderText(tr("Search ids, remarks and beginnings"));
    search_->setClearButtonEnabled(true);
    connect(search_, &QLineEdit::textChanged, filtered_, &QSortFilterProxyModel::setFilterFixedString);
    text_->setReadOnly(true);
    text_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    text_->setPlaceholderText(tr("The whole text of the row that is picked"));
    text_->setAccessibleName(tr("Prompt and completion"));
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &CorpusPage::showCurrent);
    auto* upper = new QWidget;
    auto* layout = new QVBoxLayout(upper);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(search_);
    layout->addWidget(table_, 1);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(upper);
    splitter->addWidget(text_);
    splitter->setStretchFactor(0, 1);
    splitter->setChildrenCollapsible(false);
    return splitter;
}

QWidget* CorpusPage::makeSide() {
    for (const char* method : kCorpusMethods)
        method_->addItem(QString::fromLatin1(method));
    method_->setToolTip(
        tr("spd: under the projection. psr: the model as it is. ssd: temperature 1.6, top-k 20, top-p 0.8, "
           "no projection. --method"));
    method_->setAccessibleName(tr("Method"));
    connect(method_, &QComboBox::activated, this, [this] {
        setMethod(method_->currentText());
        Q_EMIT settingsChanged();
    });
    auto* inner = new QWidget;
    inner->setLayout(form_place_);
    form_place_->setContentsMargins(0, 0, 0, 0);
    auto* scroll = new QScrollArea;
    scroll->setWidget(inner);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    lengths_->setAxes(tr("tokens"), tr("completions"));
    lengths_->setWholeX();
    lengths_->setFixedHeight(150);
    for (QLabel* label : {projection_, statistics_, state_}) {
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    stop_->setToolTip(tr("What is finished stays; Resume goes on and ends with the same text"));
    auto* side = new QWidget;
    side->setFixedWidth(kSideWidth);
    auto* layout = new QVBoxLayout(side);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(method_);
    layout->addWidget(projection_);
    layout->addWidget(scroll, 1);
    layout->addWidget(lengths_);
    layout->addWidget(statistics_);
    layout->addWidget(state_);
    auto* row = new QHBoxLayout;
    row->addWidget(generate_, 1);
    row->addWidget(stop_, 1);
    layout->addLayout(row);
    return side;
}

}  // namespace spd
