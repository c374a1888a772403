#pragma once

#include <QAction>
#include <QList>
#include <QObject>
#include <functional>

#include "views/frame/stage.h"
#include "views/shared/theme.h"

class QMenu;
class QMenuBar;
class QUndoGroup;

namespace spd {

class Workbench;

/// The menus and all commands of the window. What concerns the engine goes to the workbench by itself, what
/// concerns the window is said by signals.
class MainMenus : public QObject {
    Q_OBJECT

public:
    /// @param workbench, undo  must outlive this
    MainMenus(QMenuBar& bar, Workbench& workbench, QUndoGroup& undo, QObject* parent);

    /// Every command in the order of the menus: for the palette and the sheet of keys. A page adds its own.
    const QList<QAction*>& actions() const { return actions_; }
    void addPageAction(QAction* action, const QString& page);

    void showCurrent(Stage stage, ThemeChoice theme, bool run_card, bool foot);

Q_SIGNALS:
    void pageWanted(spd::Stage stage);
    void paletteWanted();
    void keysWanted();
    void aboutWanted();
    void connectWanted();
    void logSearchWanted();
    void themeWanted(spd::ThemeChoice choice);
    void runCardToggled(bool shown);
    void footToggled(bool shown);
    void fullScreenToggled(bool on);
    void nextStepWanted();
    void quitWanted();

private:
    QMenu* menu(const QString& title);
    QAction* add(QMenu* menu, const QString& text, const QKeySequence& keys, const QString& tip,
                 std::function<void()> run);
    void addFileAndEdit(QUndoGroup& undo);
    void addView();
    void addThemes(QMenu* view);
    void addEngine();
    void addRun();
    void addHelp();
    void refresh();

    QMenuBar& bar_;
    Workbench& workbench_;
    QList<QAction*> actions_;
    std::array<QAction*, kStageCount> pages_{};
    std::array<QAction*, 3> themes_{};
    QAction* run_card_ = nullptr;
    QAction* foot_ = nullptr;
    QList<QAction*> need_engine_;
    QAction* cancel_ = nullptr;
    QAction* resume_ = nullptr;
};

}  // namespace spd
