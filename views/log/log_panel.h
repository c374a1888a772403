#pragma once

#include <QTimer>
#include <QWidget>

#include "views/log/log_model.h"

class QLineEdit;
class QListView;
class QSortFilterProxyModel;

namespace spd {

/// The log with a search field and a copy button. Lines are shown ten times a second at most; the view stays
/// at the end unless one has scrolled up.
class LogPanel : public QWidget {
    Q_OBJECT

public:
    explicit LogPanel(QWidget* parent = nullptr);

    void append(LogModel::Line line);
    void focusSearch();
    /// Shows only the lines with this text.
    void search(const QString& text);
    /// The selected lines, or all that are shown when none is.
    QString shownText() const;

    QSize sizeHint() const override;

private:
    void showWaiting();
    void copy() const;

    LogModel model_;
    QSortFilterProxyModel* shown_;
    std::vector<LogModel::Line> waiting_;
    QTimer timer_;
    QLineEdit* search_;
    QListView* view_;
};

}  // namespace spd
