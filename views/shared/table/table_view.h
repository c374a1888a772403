#pragma once

#include <QSortFilterProxyModel>
#include <QTableView>
#include <vector>

namespace spd {

/// What a row is searched in, case-folded; asked of column 0.
inline constexpr int kSearchRole = Qt::UserRole + 1;

/// A table as every page has it: rows sorted by Qt::UserRole and searched, picked as a whole, copied with
/// their headings by Ctrl+C. Rows are spoken of by their place in the source model. GUI thread.
class TableView : public QTableView {
    Q_OBJECT

public:
    /// @param name  for screen readers
    TableView(QAbstractItemModel* source, const QString& name, QWidget* parent = nullptr);

    /// Rows whose search text holds every word.
    void setSearch(const QString& text);
    int shownRows() const { return sorted_->rowCount(); }
    /// -1: none.
    int currentRow() const;
    void setCurrentRow(int row);
    /// Source rows, ascending; all that are shown in their order.
    std::vector<int> selectedRows() const;
    std::vector<int> allShownRows() const;
    /// The shown row `steps` further, clipped.
    void moveBy(int steps);
    /// The picked rows, tabs between columns.
    QString copiedText() const;

Q_SIGNALS:
    void rowCurrent(int row);    ///< another one is current; -1: none
    void rowActivated(int row);  ///< double click or Enter

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QSortFilterProxyModel* sorted_;
};

}  // namespace spd
