#include "views/log/log_panel.h"

#include <QAction>
#include <QClipboard>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListView>
#include <QScrollBar>
#include <QSortFilterProxyModel>
#include <QToolButton>
#include <algorithm>

#include "views/shared/icons.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kIntervalMilliseconds = 100;

}  // namespace

LogPanel::LogPanel(QWidget* parent)
    : QWidget(parent), shown_(new QSortFilterProxyModel(this)), search_(new QLineEdit), view_(new QListView) {
    shown_->setSourceModel(&model_);
    shown_->setFilterCaseSensitivity(Qt::CaseInsensitive);
    view_->setModel(shown_);
    view_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    view_->setUniformItemSizes(true);
    view_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    view_->setFrameShape(QFrame::NoFrame);
    view_->setAccessibleName(tr("Log"));
    view_->viewport()->setBackgroundRole(QPalette::Window);
    search_->setPlaceholderText(tr("search the log"));
    search_->setClearButtonEnabled(true);
    search_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    auto* copy = new QToolButton;
    copy->setIcon(icon(QStringLiteral("copy")));
    copy->setToolTip(tr("Copy the selected lines, or all that are shown (Ctrl+C)"));
    copy->setAutoRaise(true);
    auto* clear = new QToolButton;
    clear->setIcon(icon(QStringLiteral("remove")));
    clear->setToolTip(tr("Empty the log of this window; the jobs' own logs stay"));
    clear->setAutoRaise(true);
    auto* copy_key = new QAction(view_);
    copy_key->setShortcut(QKeySequence::Copy);
    copy_key->setShortcutContext(Qt::WidgetShortcut);
    view_->addAction(copy_key);

    auto* row = new QHBoxLayout;
    row->setContentsMargins(kGrid / 2, kGrid / 2, kGrid / 2, 0);
    row->addWidget(search_, 1);
    row->addWidget(copy);
    row->addWidget(clear);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kGrid / 2, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    layout->addLayout(row);
    layout->addWidget(view_);

    timer_.setSingleShot(true);
    timer_.setInterval(kIntervalMilliseconds);
    connect(&timer_, &QTimer::timeout, this, &LogPanel::showWaiting);
    connect(search_, &QLineEdit::textChanged, shown_, &QSortFilterProxyModel::setFilterFixedString);
    connect(copy, &QToolButton::clicked, this, &LogPanel::copy);
    connect(copy_key, &QAction::triggered, this, &LogPanel::copy);
    connect(clear, &QToolButton::clicked, this, [this] { model_.clear(); });
}

void LogPanel::append(LogModel::Line line) {
    waiting_.push_back(std::move(line));
    if (waiting_.size() > 2 * LogModel::kMaxLines)  // more come than are shown: what would fall out goes now
        waiting_.erase(waiting_.begin(), waiting_.end() - static_cast<std::ptrdiff_t>(LogModel::kMaxLines));
    if (!timer_.isActive())
        timer_.start();
}

void LogPanel::showWaiting() {
    const QScrollBar* bar = view_->verticalScrollBar();
    const bool at_end = bar->value() >= bar->maximum();
    model_.append(std::exchange(waiting_, {}));
    if (at_end)
        view_->scrollToBottom();
}

void LogPanel::focusSearch() {
    search_->setFocus();
    search_->selectAll();
}

void LogPanel::search(const QString& text) {
    search_->setText(text);
}

QString LogPanel::shownText() const {
    QModelIndexList selected = view_->selectionModel()->selectedIndexes();
    if (selected.isEmpty())
        for (int row = 0; row < shown_->rowCount(); ++row)
            selected << shown_->index(row, 0);
    std::sort(selected.begin(), selected.end());
    QString text;
    for (const QModelIndex& index : selected)
        text += index.data().toString() + u'\n';
    return text;
}

void LogPanel::copy() const {
    QGuiApplication::clipboard()->setText(shownText());
}

QSize LogPanel::sizeHint() const {
    return {60 * kGrid, 12 * kGrid};
}

}  // namespace spd
