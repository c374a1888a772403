#include "views/dialogs/command_palette.h"

#include <QAction>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "views/shared/colors.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kKeysRole = Qt::UserRole + 2;

/// The name on the left, its keys on the right.
class CommandDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->save();
        painter->setPen(selected ? option.palette.color(QPalette::HighlightedText)
                                 : quietTextColor(option.palette));
        painter->drawText(option.rect.adjusted(0, 0, -kGrid, 0), Qt::AlignVCenter | Qt::AlignRight,
                          index.data(kKeysRole).toString());
        painter->restore();
    }
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return {QStyledItemDelegate::sizeHint(option, index).width(), option.fontMetrics.height() + kGrid};
    }
};

}  // namespace

QString commandName(const QAction& action) {
    QString name = action.text();
    name.remove(u'&');
    const QString menu = action.property("menu").toString();
    return menu.isEmpty() ? name : QStringLiteral("%1 \u203a %2").arg(menu, name);
}

CommandPalette::CommandPalette(const QList<QAction*>& actions, QWidget* parent)
    : QDialog(parent, Qt::Popup), letters_(new QLineEdit), list_(new QListWidget) {
    for (QAction* action : actions)
        if (!action->text().isEmpty() && !action->isSeparator())
            actions_ << action;
    setWindowTitle(tr("Find a command"));
    letters_->setPlaceholderText(tr("find a command..."));
    letters_->installEventFilter(this);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setFocusPolicy(Qt::NoFocus);
    list_->setItemDelegate(new CommandDelegate(list_));
    setFocusProxy(letters_);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    layout->addWidget(letters_);
    layout->addWidget(list_);
    resize(64 * kGrid, 44 * kGrid);
    connect(letters_, &QLineEdit::textChanged, this, &CommandPalette::fill);
    connect(letters_, &QLineEdit::returnPressed, this, &CommandPalette::run);
    connect(list_, &QListWidget::itemClicked, this, &CommandPalette::run);
    fill();
}

bool CommandPalette::matches(const QString& name, const QString& letters) {
    for (const QString& part : letters.split(u' ', Qt::SkipEmptyParts))
        if (!name.contains(part, Qt::CaseInsensitive))
            return false;
    return true;
}

void CommandPalette::setLetters(const QString& letters) {
    letters_->setText(letters);
}

QStringList CommandPalette::shown() const {
    QStringList names;
    for (int row = 0; row < list_->count(); ++row)
        names << list_->item(row)->data(Qt::UserRole + 1).toString();
    return names;
}

void CommandPalette::fill() {
    list_->clear();
    const auto add = [this](int i, const QString& name) {
        const QString keys = actions_[i]->shortcut().toString(QKeySequence::NativeText);
        auto* item = new QListWidgetItem(name);
        item->setData(kKeysRole, keys);
        item->setData(Qt::UserRole, i);
        item->setData(Qt::UserRole + 1, name);
        item->setToolTip(actions_[i]->toolTip());
        if (!actions_[i]->isEnabled())
            item->setFlags(item->flags() & ~Qt::ItemIsEnabled);
        list_->addItem(item);
    };
    const QString typed = letters_->text().trimmed();
    QList<int> later;
    for (int i = 0; i < actions_.size(); ++i) {
        const QString name = commandName(*actions_[i]);
        if (!matches(name, typed))
            continue;
        const QString own = name.section(QStringLiteral(" \u203a "), -1);
        if (typed.isEmpty() || own.startsWith(typed, Qt::CaseInsensitive))
            add(i, name);
        else
            later << i;
    }
    for (const int i : later)
        add(i, commandName(*actions_[i]));
    list_->setCurrentRow(0);
}

void CommandPalette::run() {
    const QListWidgetItem* item = list_->currentItem();
    if (item == nullptr)
        return;
    QAction* action = actions_[item->data(Qt::UserRole).toInt()];
    if (!action->isEnabled())
        return;
    accept();
    action->trigger();
}

/// A popup has no frame of its own.
void CommandPalette::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(QPen(accentColor(palette()), 1));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void CommandPalette::showEvent(QShowEvent* event) {
    QDialog::showEvent(event);
    activateWindow();
    letters_->setFocus(Qt::PopupFocusReason);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int by = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
        if (by != 0 && list_->count() > 0) {
            list_->setCurrentRow((list_->currentRow() + by + list_->count()) % list_->count());
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

}  // namespace spd
