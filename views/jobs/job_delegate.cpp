#include "views/jobs/job_delegate.h"

#include <QApplication>
#include <QMouseEvent>
#include <QPainter>

#include "views/jobs/jobs_model.h"
#include "views/shared/colors.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

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
    if (index.column() == JobsModel::kProgress) {
        QStyledItemDelegate::paint(painter, option, index.siblingAtColumn(JobsModel::kAction));  // the ground
        paintProgress(painter, option, index);
    } else {
        QStyledItemDelegate::paint(painter, option, index);
        if (index.column() == JobsModel::kAction)
            paintButton(painter, option, index);
    }
}

void JobDelegate::paintProgress(QPainter* painter, const QStyleOptionViewItem& option,
                                const QModelIndex& index) const {
    const double share = index.data(JobsModel::kShareRole).toDouble();
    const QRect box = option.rect.adjusted(kGrid / 2, 0, -kGrid / 2, 0);
    const QRect bar(box.left(), box.center().y() - 2, box.width() * 45 / 100, 5);
    painter->save();
    if (share >= 0) {
        painter->fillRect(bar, ruleColor(option.palette));
        QRect filled = bar;
        filled.setWidth(static_cast<int>(bar.width() * share));
        painter->fillRect(filled, accentColor(option.palette));
    }
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    painter->setPen(option.palette.color(selected ? QPalette::HighlightedText : QPalette::Text));
    const QRect words = share >= 0 ? box.adjusted(bar.width() + kGrid, 0, 0, 0) : box;
    painter->drawText(words, Qt::AlignVCenter | Qt::AlignLeft, index.data().toString());
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
