#include "views/jobs/job_delegate.h"

#include <QApplication>
#include <QMouseEvent>
#include <QPainter>

#include "views/jobs/jobs_model.h"
#include "views/shared/colors.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kTimeWidth = 11 * kGrid;
constexpr int kRateWidth = 11 * kGrid;
constexpr int kCountWidth = 11 * kGrid;
constexpr int kBarWidth = 10 * kGrid;

QString actionWord(JobAction action) {
    switch (action) {
        case JobAction::cancel:
            return JobDelegate::tr("Cancel");
        case JobAction::resume:
            return JobDelegate::tr("Resume");
        case JobAction::remove:
            return JobDelegate::tr("Remove");
        case JobAction::none:
            break;
    }
    return {};
}

JobAction actionOf(const QModelIndex& index) {
    return static_cast<JobAction>(index.data(JobsModel::kActionRole).toInt());
}

}  // namespace

void JobDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const {
    if (index.column() == JobsModel::kTitle) {
        QStyledItemDelegate::paint(painter, option, index);
        return;
    }
    // The action's column has no text: what is painted is the ground.
    QStyledItemDelegate::paint(painter, option, index.siblingAtColumn(JobsModel::kAction));
    if (index.column() == JobsModel::kPhase)
        paintState(painter, option, index);
    else if (index.column() == JobsModel::kAction)
        paintButton(painter, option, index);
}

void JobDelegate::paintState(QPainter* painter, const QStyleOptionViewItem& option,
                             const QModelIndex& index) const {
    const auto text = [&](int column) { return index.siblingAtColumn(column).data().toString(); };
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    const bool runs =
        index.data(JobsModel::kStateRole).toInt() == static_cast<int>(protocol::JobState::running);
    QRect space = option.rect.adjusted(kGrid / 2, 0, -kGrid, 0);
    painter->save();
    painter->setPen(option.palette.color(selected ? QPalette::HighlightedText : QPalette::Text));
    const auto right = [&](const QString& words, int width) {
        painter->drawText(space, Qt::AlignVCenter | Qt::AlignRight, words);
        space.setRight(space.right() - width);
    };
    right(text(JobsModel::kTimeLeft),
          runs ? kTimeWidth : option.fontMetrics.horizontalAdvance(text(JobsModel::kTimeLeft)) + kGrid);
    if (runs) {
        right(text(JobsModel::kRate), kRateWidth);
        right(text(JobsModel::kProgress), kCountWidth);
        const QRect bar(space.right() - kBarWidth, space.center().y() - 2, kBarWidth, 5);
        QRect filled = bar;
        filled.setWidth(static_cast<int>(bar.width() * index.data(JobsModel::kShareRole).toDouble()));
        painter->fillRect(bar, ruleColor(option.palette));
        painter->fillRect(
            filled, selected ? option.palette.color(QPalette::HighlightedText) : accentColor(option.palette));
        space.setRight(bar.left() - kGrid);
    }
    painter->drawText(space, Qt::AlignVCenter | Qt::AlignLeft,
                      option.fontMetrics.elidedText(text(JobsModel::kPhase), Qt::ElideRight, space.width()));
    painter->restore();
}

void JobDelegate::paintButton(QPainter* painter, const QStyleOptionViewItem& option,
                              const QModelIndex& index) const {
    const QString word = actionWord(actionOf(index));
    if (word.isEmpty())
        return;
    QStyleOptionButton button;
    button.rect = option.rect.adjusted(2, 1, -2, -1);
    button.text = word;
    button.palette = option.palette;
    button.state = QStyle::State_Enabled | QStyle::State_Raised;
    if (option.state.testFlag(QStyle::State_MouseOver))
        button.state |= QStyle::State_MouseOver;
    QApplication::style()->drawControl(QStyle::CE_PushButton, &button, painter);
}

QSize JobDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QSize size = QStyledItemDelegate::sizeHint(option, index);
    size.setHeight(std::max(3 * kGrid, option.fontMetrics.height() + kGrid));
    return size;
}

bool JobDelegate::editorEvent(QEvent* event, QAbstractItemModel*, const QStyleOptionViewItem& option,
                              const QModelIndex& index) {
    if (event->type() != QEvent::MouseButtonRelease || index.column() != JobsModel::kAction)
        return false;
    const auto* mouse = static_cast<QMouseEvent*>(event);
    if (mouse->button() != Qt::LeftButton || !option.rect.contains(mouse->position().toPoint()))
        return false;
    Q_EMIT actionClicked(index);
    return true;
}

}  // namespace spd
