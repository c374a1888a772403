#pragma once

#include <QMainWindow>
#include <QPointer>
#include <QUndoGroup>

#include "app/workbench/menus/main_menus.h"
#include "app/workbench/workbench.h"
#include "views/shared/theme.h"

class QSplitter;
class QStackedWidget;
class QToolButton;

namespace spd {

class JobsStrip;
class LogPanel;
class Notice;
class Pages;
class RunCard;
class StageRail;
class StatusLine;

/// The window: rail, pages, run card, jobs, log, status. Wiring only; what is shown comes from the workbench.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    /// @param workbench, theme  must outlive this.
    MainWindow(Workbench& workbench, Theme& theme);
    ~MainWindow() override;

    void showPage(Stage stage);
    Stage currentPage() const;
    /// The stack of undo that is used while a page is shown. A page without one has none.
    Pages& pages() { return *pages_; }
    MainMenus& menus() { return *menus_; }
    QDialog* openPalette();
    QDialog* openKeys();
    /// A line above the page: what happened, what to do. Empty: none.
    void showNotice(const QString& text);

protected:
    void closeEvent(QCloseEvent* event) override;

private:
    QWidget* makeMiddle();
    QWidget* makeFoot();
    void wireFrame();
    void wireMenus();
    void wireWorkbench();
    void restore();
    void rememberLayout();
    void showFrame();
    void openConnect();
    void openAbout();
    void doNextStep();
    void offerToResume(const QStringList& jobs, const QString& text);
    bool mayClose();

    Workbench& workbench_;
    Theme& theme_;
    QUndoGroup undo_;
    StageRail* rail_;
    Pages* pages_;
    RunCard* card_;
    JobsStrip* jobs_;
    LogPanel* log_;
    StatusLine* status_;
    Notice* notice_;
    QSplitter* vertical_;
    QSplitter* foot_;
    MainMenus* menus_;
    bool closing_ = false;
};

}  // namespace spd
