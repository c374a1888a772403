#include <QAccessible>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>

#include "views/shared/token_view/token_view.h"

namespace spd {

void TokenView::moveTo(int token, bool extend) {
    if (tokens_.empty())
        return;
    token = std::clamp(token, 0, static_cast<int>(tokens_.size()) - 1);
    if (extend && anchor_ < 0)
        anchor_ = current_;
    else if (!extend)
        anchor_ = -1;
    current_ = token;
    scrollTo(token);
    viewport()->update();
    setAccessibleDescription(describeToken(token, tokens_[static_cast<size_t>(token)]));
    QAccessibleEvent changed(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&changed);
    if (extend)
        Q_EMIT rangeSelected(selection().from, selection().to - 1);
}

/// Where a key moves the cursor to.
std::optional<int> TokenView::targetOf(const QKeyEvent& event) const {
    const int row = layout_.rowOf(current_);
    const double middle = layout_.left(current_) + layout_.width(current_) / 2;
    const int page = std::max(1, static_cast<int>(viewport()->height() / rowHeight()) - 1);
    const bool all = event.modifiers().testFlag(Qt::ControlModifier);
    switch (event.key()) {
        case Qt::Key_Left:
            return current_ - 1;
        case Qt::Key_Right:
            return current_ + 1;
        case Qt::Key_Up:
            return layout_.nearest(row - 1, middle);
        case Qt::Key_Down:
            return layout_.nearest(row + 1, middle);
        case Qt::Key_PageUp:
            return layout_.nearest(row - page, middle);
        case Qt::Key_PageDown:
            return layout_.nearest(row + page, middle);
        case Qt::Key_Home:
            return all ? 0 : layout_.row(row).from;
        case Qt::Key_End:
            return all ? layout_.size() - 1 : layout_.row(row).to - 1;
        default:
            return std::nullopt;
    }
}

void TokenView::keyPressEvent(QKeyEvent* event) {
    if (tokens_.empty())
        return QAbstractScrollArea::keyPressEvent(event);
    if (const std::optional<int> target = targetOf(*event))
        return moveTo(*target, event->modifiers().testFlag(Qt::ShiftModifier));
    const TokenSpan range = anchor_ < 0 ? TokenSpan{current_, current_ + 1} : selection();
    if (event->matches(QKeySequence::Copy)) {
        copySelection();
    } else if (event->matches(QKeySequence::SelectAll)) {
        select(0, layout_.size() - 1);
        Q_EMIT rangeSelected(0, layout_.size() - 1);
    } else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
        Q_EMIT rangeChosen(range.from, range.to - 1, event->modifiers().testFlag(Qt::ControlModifier));
    } else if (event->key() == Qt::Key_Delete || event->key() == Qt::Key_Backspace) {
        Q_EMIT rangeRemoved(range.from, range.to - 1);
    } else if (event->key() == Qt::Key_Escape && anchor_ >= 0) {
        clearSelection();
    } else {
        QAbstractScrollArea::keyPressEvent(event);
    }
}

void TokenView::mousePressEvent(QMouseEvent* event) {
    const int token = tokenAt(event->position(), true);
    if (event->button() != Qt::LeftButton || token < 0)
        return QAbstractScrollArea::mousePressEvent(event);
    if (event->modifiers().testFlag(Qt::ShiftModifier))
        return moveTo(token, true);
    moveTo(token, false);
    dragging_ = true;
}

void TokenView::mouseMoveEvent(QMouseEvent* event) {
    hover(tokenAt(event->position(), false));
    const int token = tokenAt(event->position(), true);
    if (!dragging_ || token < 0 || (anchor_ < 0 && token == current_))
        return;
    if (anchor_ < 0)
        anchor_ = current_;
    current_ = token;
    scrollTo(token);
    viewport()->update();
}

void TokenView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || !dragging_)
        return QAbstractScrollArea::mouseReleaseEvent(event);
    dragging_ = false;
    if (anchor_ < 0)
        return;
    const TokenSpan range = selection();
    Q_EMIT rangeSelected(range.from, range.to - 1);
    if (range.to - range.from > 1)
        Q_EMIT rangeChosen(range.from, range.to - 1, event->modifiers().testFlag(Qt::ControlModifier));
}

void TokenView::mouseDoubleClickEvent(QMouseEvent* event) {
    const int token = tokenAt(event->position(), false);
    if (token < 0)
        return;
    select(token, token);
    Q_EMIT rangeSelected(token, token);
    Q_EMIT rangeChosen(token, token, event->modifiers().testFlag(Qt::ControlModifier));
}

void TokenView::hover(int token) {
    if (token == hovered_)
        return;
    hovered_ = token;
    Q_EMIT tokenHovered(token);
}

void TokenView::leaveEvent(QEvent* event) {
    QAbstractScrollArea::leaveEvent(event);
    hover(-1);
}

void TokenView::focusInEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

bool TokenView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int token = tokenAt(help->pos(), false);
        if (token < 0)
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), describeToken(token, tokens_[static_cast<size_t>(token)]),
                               viewport(), rectOf(token).toRect());
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

}  // namespace spd
