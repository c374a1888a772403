#include "views/shared/table/table_view.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QKeyEvent>
#include <algorithm>

#include "views/shared/theme.h"

namespace spd {

namespace {

class SearchedRows : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;

    void setWords(const QStringList& words) {
        words_ = words;
        invalidateFilter();
    }

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        if (words_.isEmpty())
            return true;
        const QString text = sourceModel()->index(row, 0, parent).data(kSearchRole).toString();
        return std::all_of(words_.begin(), words_.end(),
                           [&](const QString& word) { return text.contains(word); });
    }

private:
    QStringList words_;
};

}  // namespace

TableView::TableView(QAbstractItemModel* source, const QString& name, QWidget* parent)
    : QTableView(parent), sorted_(new SearchedRows(this)) {
    sorted_->setSourceModel(source);
    sorted_->setSortRole(Qt::UserRole);
    setModel(sorted_);
    setSortingEnabled(true);
    horizontalHeader()->setSortIndicatorClearable(true);
    horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    sorted_->sort(-1);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + kGrid);
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);  // else 100,000 rows are measured one by one
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setAlternatingRowColors(true);
    setShowGrid(false);
    setWordWrap(false);
    setTabKeyNavigation(false);
    setAccessibleName(name);
    connect(selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this] { Q_EMIT rowCurrent(currentRow()); });
    connect(this, &QTableView::doubleClicked, this, [this] { Q_EMIT rowActivated(currentRow()); });
}

void TableView::setSearch(const QString& text) {
    static_cast<SearchedRows*>(sorted_)->setWords(text.toCaseFolded().split(u' ', Qt::SkipEmptyParts));
}

int TableView::currentRow() const {
    return sorted_->mapToSource(currentIndex()).row();
}

void TableView::setCurrentRow(int row) {
    const QModelIndex index = sorted_->mapFromSource(sorted_->sourceModel()->index(row, 0));
    if (index.isValid())
        selectionModel()->setCurrentIndex(index,
                                          QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    scrollTo(index);
}

std::vector<int> TableView::selectedRows() const {
    std::vector<int> rows;
    for (const QModelIndex& index : selectionModel()->selectedRows())
        rows.push_back(sorted_->mapToSource(index).row());
    std::sort(rows.begin(), rows.end());
    return rows;
}

std::vector<int> TableView::allShownRows() const {
    std::vector<int> rows;
    for (int row = 0; row < shownRows(); ++row)
        rows.push_back(sorted_->mapToSource(sorted_->index(row, 0)).row());
    return rows;
}

void TableView::moveBy(int steps) {
    if (shownRows() == 0)
        return;
    const int row = std::clamp(currentIndex().row() + steps, 0, shownRows() - 1);
    setCurrentRow(sorted_->mapToSource(sorted_->index(row, 0)).row());
}

QString TableView::copiedText() const {
    QList<int> rows;
    for (const QModelIndex& index : selectionModel()->selectedRows())
        rows.push_back(index.row());
    std::sort(rows.begin(), rows.end());
    QStringList lines, headings;
    const auto cell = [](const QString& text) {
        return QString(text).replace(u'\t', u' ').replace(u'\n', u' ');
    };
    for (int column = 0; column < sorted_->columnCount(); ++column)
        headings.push_back(cell(sorted_->headerData(column, Qt::Horizontal).toString()));
    lines.push_back(headings.join(u'\t'));
    for (const int row : rows) {
        QStringList cells;
        for (int column = 0; column < sorted_->columnCount(); ++column)
            cells.push_back(cell(sorted_->index(row, column).data().toString()));
        lines.push_back(cells.join(u'\t'));
    }
    return lines.join(u'\n') + u'\n';
}

void TableView::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy))
        QApplication::clipboard()->setText(copiedText());
    else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
        Q_EMIT rowActivated(currentRow());
    else
        QTableView::keyPressEvent(event);
}

}  // namespace spd
