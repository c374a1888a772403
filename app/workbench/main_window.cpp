#include "app/workbench/main_window.h"

#include <QCloseEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <QSplitter>
#include <QStatusBar>
#include <QToolButton>

#include "app/workbench/pages/pages.h"
#include "views/dialogs/command_palette.h"
#include "views/dialogs/connect_dialog.h"
#include "views/dialogs/notice.h"
#include "views/dialogs/shortcuts_sheet.h"
#include "views/frame/run_card.h"
#include "views/frame/stage_rail.h"
#include "views/frame/status_line.h"
#include "views/jobs/jobs_strip.h"
#include "views/log/log_panel.h"
#include "views/shared/icons.h"

namespace spd {

namespace {

constexpr int kCardWidth = 30 * kGrid;

QFrame* rule(QFrame::Shape shape) {
    auto* line = new QFrame;
    line->setFrameShape(shape);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Mid);
    return line;
}

}  // namespace

MainWindow::MainWindow(Workbench& workbench, Theme& theme)
    : workbench_(workbench),
      theme_(theme),
      rail_(new StageRail),
      pages_(new Pages(workbench)),
      card_(new RunCard),
      jobs_(new JobsStrip(workbench.jobs())),
      log_(new LogPanel),
      status_(new StatusLine),
      notice_(new Notice),
      vertical_(new QSplitter(Qt::Vertical)),
      foot_(new QSplitter(Qt::Horizontal)),
      menus_(new MainMenus(*menuBar(), workbench, undo_, this)) {
    setWindowTitle(tr("SPD Workbench"));
    vertical_->addWidget(makeMiddle());
    vertical_->addWidget(makeFoot());
    vertical_->setStretchFactor(0, 1);
    vertical_->setChildrenCollapsible(false);
    vertical_->setHandleWidth(1);
    foot_->setHandleWidth(1);
    setCentralWidget(vertical_);
    statusBar()->addWidget(status_, 1);
    statusBar()->setSizeGripEnabled(false);

    auto* find = new QToolButton;
    find->setText(tr("Ctrl+K  find a command..."));
    find->setIcon(icon(QStringLiteral("search")));
    find->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    find->setAutoRaise(true);
    // Higher than the menus it would make the bar so, and Fusion would underline each menu.
    find->setFixedHeight(menuBar()->sizeHint().height() - 2);
    menuBar()->setFixedHeight(menuBar()->sizeHint().height());
    connect(find, &QToolButton::clicked, this, &MainWindow::openPalette);
    menuBar()->setCornerWidget(find);
    for (int i = 0; i < kStageCount; ++i)
        if (QUndoStack* stack = pages_->undoStack(static_cast<Stage>(i)))
            undo_.addStack(stack);
    wireFrame();
    wireMenus();
    wireWorkbench();
    restore();
    showFrame();
    pages_->setFocusPolicy(Qt::StrongFocus);
    pages_->setFocus();
}

MainWindow::~MainWindow() = default;

QWidget* MainWindow::makeMiddle() {
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(notice_);
    column->addWidget(pages_, 1);

    auto* middle = new QWidget;
    auto* row = new QHBoxLayout(middle);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(rail_);
    row->addWidget(rule(QFrame::VLine));
    row->addWidget(page, 1);
    row->addWidget(rule(QFrame::VLine));
    row->addWidget(card_);
    auto* above = new QWidget;
    auto* whole = new QVBoxLayout(above);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->setSpacing(0);
    whole->addWidget(middle, 1);
    whole->addWidget(rule(QFrame::HLine));
    rail_->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
    card_->setFixedWidth(kCardWidth);
    return above;
}

QWidget* MainWindow::makeFoot() {
    foot_->setFrameShape(QFrame::NoFrame);
    foot_->addWidget(jobs_);
    foot_->addWidget(log_);
    foot_->setStretchFactor(0, 3);
    foot_->setStretchFactor(1, 2);
    foot_->setMinimumHeight(9 * kGrid);
    return foot_;
}

void MainWindow::wireFrame() {
    connect(rail_, &StageRail::picked, this, &MainWindow::showPage);
    connect(card_, &RunCard::pageWanted, this, &MainWindow::showPage);
    connect(card_, &RunCard::nextStepWanted, this, &MainWindow::doNextStep);
    connect(pages_, &Pages::pageWanted, this, &MainWindow::showPage);
    connect(jobs_, &JobsStrip::cancelWanted, &workbench_, &Workbench::cancelJob);
    connect(jobs_, &JobsStrip::resumeWanted, &workbench_, &Workbench::resumeJob);
    connect(jobs_, &JobsStrip::removeWanted, &workbench_, &Workbench::removeJob);
    connect(jobs_, &JobsStrip::moveWanted, &workbench_, &Workbench::moveJob);
    connect(jobs_, &JobsStrip::logWanted, &workbench_, &Workbench::showJobLog);
    connect(status_, &StatusLine::engineClicked, this, &MainWindow::openConnect);
    for (QSplitter* splitter : {vertical_, foot_})
        connect(splitter, &QSplitter::splitterMoved, this, &MainWindow::rememberLayout);
}

void MainWindow::wireMenus() {
    connect(menus_, &MainMenus::pageWanted, this, &MainWindow::showPage);
    connect(menus_, &MainMenus::paletteWanted, this, &MainWindow::openPalette);
    connect(menus_, &MainMenus::keysWanted, this, &MainWindow::openKeys);
    connect(menus_, &MainMenus::aboutWanted, this, &MainWindow::openAbout);
    connect(menus_, &MainMenus::connectWanted, this, &MainWindow::openConnect);
    connect(menus_, &MainMenus::nextStepWanted, this, &MainWindow::doNextStep);
    connect(menus_, &MainMenus::quitWanted, this, &QWidget::close);
    connect(menus_, &MainMenus::logSearchWanted, this, [this] {
        foot_->show();
        log_->focusSearch();
    });
    connect(menus_, &MainMenus::themeWanted, this, [this](ThemeChoice choice) {
        theme_.choose(choice);
        const char* const names[] = {"system", "light", "dark"};
        workbench_.settings().set(Settings::kTheme, QString::fromLatin1(names[static_cast<int>(choice)]));
    });
    connect(menus_, &MainMenus::runCardToggled, this, [this](bool shown) {
        card_->setVisible(shown);
        workbench_.settings().set(Settings::kRunCardShown, shown);
    });
    connect(menus_, &MainMenus::footToggled, this, [this](bool shown) {
        foot_->setVisible(shown);
        workbench_.settings().set(Settings::kFootShown, shown);
    });
    connect(menus_, &MainMenus::fullScreenToggled, this,
            [this](bool on) { on ? showFullScreen() : showNormal(); });
}

void MainWindow::wireWorkbench() {
    connect(&workbench_, &Workbench::statusChanged, this,
            [this] { status_->setValues(workbench_.status()); });
    connect(&workbench_, &Workbench::marksChanged, this, [this] { rail_->setMarks(workbench_.marks()); });
    connect(&workbench_, &Workbench::runCardChanged, this,
            [this] { card_->setValues(workbench_.runCard()); });
    connect(&workbench_, &Workbench::logged, log_, &LogPanel::append);
    connect(&workbench_, &Workbench::refused, this, &MainWindow::showNotice);
    connect(&workbench_, &Workbench::interrupted, this, &MainWindow::offerToResume);
    connect(&workbench_, &Workbench::jobEnded, this, [this](const protocol::Job& job) {
        if (job.state == protocol::JobState::failed)
            showNotice(tr("%1 %2").arg(QString::fromStdString(job.title), stateInWords(job)));
    });
    connect(&theme_, &Theme::changed, this, &MainWindow::showFrame);
}

void MainWindow::showFrame() {
    status_->setValues(workbench_.status());
    rail_->setMarks(workbench_.marks());
    card_->setValues(workbench_.runCard());
    menus_->showCurrent(currentPage(), theme_.choice(), !card_->isHidden(), !foot_->isHidden());
}

void MainWindow::showPage(Stage stage) {
    pages_->show(stage);
    rail_->setCurrent(stage);
    undo_.setActiveStack(pages_->undoStack(stage));
    workbench_.settings().set(Settings::kPage, stageName(stage));
    showFrame();
}

Stage MainWindow::currentPage() const {
    return pages_->current();
}

void MainWindow::showNotice(const QString& text) {
    notice_->say(text);
    if (!text.isEmpty())
        workbench_.log(tr("window"), text);
}

}  // namespace spd
