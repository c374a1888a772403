#include <QPaintEvent>
#include <QPainter>
#include <QPainterPath>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "views/shared/colors.h"
#include "views/shared/theme.h"
#include "views/shared/token_view/token_view.h"

namespace spd {

namespace {

QColor withAlpha(QColor color, int alpha) {
    color.setAlpha(alpha);
    return color;
}

}  // namespace

bool TokenView::isInSpan(int token) const {
    const auto after = std::upper_bound(spans_.begin(), spans_.end(), token,
                                        [](int at, const TokenSpan& span) { return at < span.from; });
    return after != spans_.begin() && token < std::prev(after)->to;
}

void TokenView::paintGround(QPainter& painter, int token) const {
    const QRectF rect = rectOf(token);
    const double heat = tokens_[static_cast<size_t>(token)].heat;
    const QColor ink = palette().color(QPalette::Text);
    if (std::isfinite(heat))
        painter.fillRect(rect, cividis(heat));
    else
        painter.fillRect(rect, withAlpha(ink, token % 2 == 0 ? 9 : 26));
    if (isInSpan(token)) {
        const QColor color = roleColor(Role::spd, palette());
        if (!std::isfinite(heat))
            painter.fillRect(rect, withAlpha(color, 70));
        painter.fillRect(QRectF(rect.left(), rect.bottom() - 2, rect.width(), 2), color);
    }
    const TokenSpan selected = selection();
    if (token >= selected.from && token < selected.to)
        painter.fillRect(rect, withAlpha(palette().color(QPalette::Highlight), 110));
}

void TokenView::paintText(QPainter& painter, int token) const {
    const auto index = static_cast<size_t>(token);
    const QRectF rect = rectOf(token);
    const double heat = tokens_[index].heat;
    QColor ink = token < prompt_tokens_ ? quietTextColor(palette()) : palette().color(QPalette::Text);
    if (std::isfinite(heat))
        ink = textOnCividis(std::clamp(heat, 0.0, 1.0));
    painter.setPen(ink);
    const QFontMetricsF metrics(font());
    painter.setFont(font());
    const double baseline = rect.top() + 1 + metrics.ascent();
    const double side = tokens_[index].special ? 5 : 1.5;
    painter.drawText(QPointF(rect.left() + side, baseline), texts_[index]);
    if (!ids_shown_)
        return;
    QFont small = font();
    small.setPointSizeF(small.pointSizeF() * 0.75);
    painter.setFont(small);
    if (!std::isfinite(heat))
        painter.setPen(quietTextColor(palette()));
    painter.drawText(QPointF(rect.left() + side, rect.bottom() - 3 - QFontMetricsF(small).descent() / 2),
                     QString::number(tokens_[index].id));
}

/// What is drawn over text: boxes of special tokens, the cursor, the linked token, the divergence.
void TokenView::paintMarks(QPainter& painter, int token) const {
    const QRectF rect = rectOf(token).adjusted(0.5, 0.5, -0.5, -0.5);
    painter.setBrush(Qt::NoBrush);
    if (tokens_[static_cast<size_t>(token)].special) {
        painter.setPen(QPen(quietTextColor(palette()), 1));
        painter.drawRoundedRect(rect, 3, 3);
    }
    if (token == linked_) {
        painter.setPen(QPen(accentColor(palette()), 2));
        painter.drawRect(rect);
    }
    if (token == current_ && hasFocus()) {
        painter.setPen(QPen(palette().color(QPalette::Text), 1, Qt::DotLine));
        painter.drawRect(rect);
    }
    if (token == divergence_) {
        const QColor color = statusColor(Status::warning, palette());
        painter.fillRect(QRectF(rect.left() - 1.5, rect.top(), 3, rect.height()), color);
        QPainterPath triangle(QPointF(1, rect.top() + 3));
        triangle.lineTo(kInner - 3, rect.center().y());
        triangle.lineTo(1, rect.bottom() - 3);
        triangle.closeSubpath();
        painter.fillPath(triangle, color);
    }
}

void TokenView::paintEvent(QPaintEvent* event) {
    QPainter painter(viewport());
    if (tokens_.empty()) {
        painter.setPen(quietTextColor(palette()));
        painter.drawText(viewport()->rect().adjusted(kInner, kGrid, -kInner, -kGrid),
                         Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, placeholder_);
        return;
    }
    const double scrolled = verticalScrollBar()->value() - kGrid / 2.0;
    const auto rowAt = [&](double y) {
        return std::clamp(static_cast<int>(std::floor((y + scrolled) / rowHeight())), 0, layout_.rows() - 1);
    };
    const TokenSpan seen = {layout_.row(rowAt(event->rect().top())).from,
                            layout_.row(rowAt(event->rect().bottom())).to};
    for (int token = seen.from; token < seen.to; ++token)
        paintGround(painter, token);
    for (int token = seen.from; token < seen.to; ++token)
        paintText(painter, token);
    painter.setRenderHint(QPainter::Antialiasing);
    for (int token = seen.from; token < seen.to; ++token)
        paintMarks(painter, token);
}

}  // namespace spd
