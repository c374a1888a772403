#include "app/workbench/menus/main_menus.h"

#include <QActionGroup>
#include <QMenu>
#include <QMenuBar>
#include <QUndoGroup>

#include "app/workbench/workbench.h"
#include "views/shared/icons.h"

namespace spd {

MainMenus::MainMenus(QMenuBar& bar, Workbench& workbench, QUndoGroup& undo, QObject* parent)
    : QObject(parent), bar_(bar), workbench_(workbench) {
    addFileAndEdit(undo);
    addView();
    addEngine();
    addRun();
    addHelp();
    connect(&workbench, &Workbench::engineChanged, this, &MainMenus::refresh);
    connect(&workbench.jobs(), &JobsModel::jobsChanged, this, &MainMenus::refresh);
    refresh();
}

QMenu* MainMenus::menu(const QString& title) {
    QMenu* menu = bar_.addMenu(title);
    menu->setToolTipsVisible(true);
    return menu;
}

QAction* MainMenus::add(QMenu* menu, const QString& text, const QKeySequence& keys, const QString& tip,
                        std::function<void()> run) {
    QAction* action = menu->addAction(text);
    action->setShortcut(keys);
    action->setToolTip(tip);
    action->setProperty("menu", QString(menu->title()).remove(u'&'));
    if (run)
        connect(action, &QAction::triggered, this, std::move(run));
    actions_ << action;
    return action;
}

void MainMenus::addPageAction(QAction* action, const QString& page) {
    action->setProperty("menu", page);
    actions_ << action;
}

void MainMenus::addFileAndEdit(QUndoGroup& undo) {
    QMenu* file = menu(tr("&File"));
    add(file, tr("&Quit"), QKeySequence::Quit, tr("Close the window; jobs may go on"),
        [this] { Q_EMIT quitWanted(); });

    QMenu* edit = menu(tr("&Edit"));
    const std::pair<QAction*, QKeySequence> steps[] = {
        {undo.createUndoAction(this, tr("Undo")), QKeySequence::Undo},
        {undo.createRedoAction(this, tr("Redo")), QKeySequence::Redo}};
    for (const auto& [action, keys] : steps) {
        action->setShortcut(keys);
        action->setProperty("menu", tr("Edit"));
        edit->addAction(action);
        actions_ << action;
    }
    edit->addSeparator();
    add(edit, tr("&Find a command..."), Qt::CTRL | Qt::Key_K, tr("All commands by name"),
        [this] { Q_EMIT paletteWanted(); });
    add(edit, tr("&Search the log"), Qt::CTRL | Qt::SHIFT | Qt::Key_F, tr("Show only the lines with a text"),
        [this] { Q_EMIT logSearchWanted(); });
}

void MainMenus::addView() {
    QMenu* view = menu(tr("&View"));
    auto* pages = new QActionGroup(this);
    for (int i = 0; i < kStageCount; ++i) {
        const auto stage = static_cast<Stage>(i);
        QAction* action = add(view, stageTitle(stage), Qt::ALT | static_cast<Qt::Key>(Qt::Key_1 + i),
                              stagePurpose(stage), [this, stage] { Q_EMIT pageWanted(stage); });
        action->setIcon(icon(stageName(stage)));
        action->setIconVisibleInMenu(true);
        action->setCheckable(true);
        pages->addAction(action);
        pages_[static_cast<size_t>(i)] = action;
    }
    view->addSeparator();
    run_card_ = add(view, tr("Run &card"), Qt::Key_F8, tr("What the next step would do"), {});
    foot_ = add(view, tr("&Jobs and log"), Qt::Key_F9, tr("The strip at the foot of the window"), {});
    QAction* full = add(view, tr("&Full screen"), Qt::Key_F11, tr("The window over the whole screen"), {});
    for (QAction* action : {run_card_, foot_, full})
        action->setCheckable(true);
    connect(run_card_, &QAction::triggered, this, &MainMenus::runCardToggled);
    connect(foot_, &QAction::triggered, this, &MainMenus::footToggled);
    connect(full, &QAction::triggered, this, &MainMenus::fullScreenToggled);
    addThemes(view);
}

void MainMenus::addThemes(QMenu* view) {
    view->addSeparator();
    auto* group = new QActionGroup(this);
    const std::pair<QString, ThemeChoice> themes[] = {{tr("Theme of the system"), ThemeChoice::system},
                                                      {tr("Light theme"), ThemeChoice::light},
                                                      {tr("Dark theme"), ThemeChoice::dark}};
    for (const auto& [text, choice] : themes) {
        QAction* action = add(view, text, {}, {}, [this, chosen = choice] { Q_EMIT themeWanted(chosen); });
        action->setCheckable(true);
        group->addAction(action);
        themes_[static_cast<size_t>(choice)] = action;
    }
}

void MainMenus::addEngine() {
    QMenu* engine = menu(tr("E&ngine"));
    add(engine, tr("&Connect..."), {}, tr("Choose the engine: here, or on another machine by ssh"),
        [this] { Q_EMIT connectWanted(); });
    add(engine, tr("&Reconnect"), {}, tr("Start the relay anew; the engine and its jobs go on"), [this] {
        if (workbench_.client().command().isEmpty())
            workbench_.connectTo(workbench_.commandLine());
        else
            workbench_.client().reconnect();
    });
    engine->addSeparator();
    need_engine_ << add(engine, tr("&Unload model"), {}, tr("Give back the memory of the resident model"),
                        [this] { workbench_.unloadModel(); });
    need_engine_ << add(engine, tr("Re&start engine"), {},
                        tr("End the engine, with what its job has done saved, and start another"),
                        [this] { workbench_.restartEngine(); });
}

void MainMenus::addRun() {
    QMenu* run = menu(tr("&Run"));
    add(run, tr("&New run"), QKeySequence::New,
        tr("Begin another run with the same model; what this one has made stays, and is found under Runs"),
        [this] { workbench_.beginNewRun(); });
    add(run, tr("&Next step"), Qt::CTRL | Qt::Key_Return, tr("What the button of the run card does"),
        [this] { Q_EMIT nextStepWanted(); });
    run->addSeparator();
    cancel_ = add(run, tr("&Cancel running job"), Qt::CTRL | Qt::Key_Period,
                  tr("It stops soon, with what is done saved"), [this] {
                      if (const JobsModel::Row* row = workbench_.jobs().running())
                          workbench_.cancelJob(QString::fromStdString(row->job.id));
                  });
    resume_ = add(run, tr("&Resume interrupted jobs"), {},
                  tr("Queue again what its engine's end interrupted"), [this] {
                      for (const JobsModel::Row& row : workbench_.jobs().rows())
                          if (row.job.state == protocol::JobState::interrupted && row.job.resumable)
                              workbench_.resumeJob(QString::fromStdString(row.job.id));
                  });
    add(run, tr("Remove &finished jobs from the list"), {}, tr("Their files and runs stay"),
        [this] { workbench_.removeFinishedJobs(); });
}

void MainMenus::addHelp() {
    QMenu* help = menu(tr("&Help"));
    add(help, tr("&Keys"), QKeySequence::HelpContents, tr("Every key of the window"),
        [this] { Q_EMIT keysWanted(); });
    add(help, tr("&About SPD Workbench"), {}, tr("Version, licence, method"),
        [this] { Q_EMIT aboutWanted(); });
}

void MainMenus::showCurrent(Stage stage, ThemeChoice theme, bool run_card, bool foot) {
    pages_[static_cast<size_t>(stage)]->setChecked(true);
    themes_[static_cast<size_t>(theme)]->setChecked(true);
    run_card_->setChecked(run_card);
    foot_->setChecked(foot);
}

void MainMenus::refresh() {
    const bool ready = workbench_.client().state() == EngineState::ready;
    for (QAction* action : need_engine_)
        action->setEnabled(ready);
    bool interrupted = false;
    for (const JobsModel::Row& row : workbench_.jobs().rows())
        interrupted = interrupted || (row.job.state == protocol::JobState::interrupted && row.job.resumable);
    cancel_->setEnabled(ready && workbench_.jobs().running() != nullptr);
    resume_->setEnabled(ready && interrupted);
}

}  // namespace spd
