#pragma once

#include <QDialog>
#include <QList>

class QAction;

namespace spd {

/// F1: every key of the window, by menu; can be printed or copied as text.
class ShortcutsSheet : public QDialog {
    Q_OBJECT

public:
    ShortcutsSheet(const QList<QAction*>& actions, QWidget* parent);

    /// The sheet as HTML: a table a menu.
    static QString html(const QList<QAction*>& actions);
};

}  // namespace spd
