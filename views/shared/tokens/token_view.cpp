#include "views/shared/tokens/token_view.h"

#include <QClipboard>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHelpEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kMargin = 2 * kGrid;  // left of the text; marks stand in it

std::vector<QString> textsOf(const std::vector<Token>& tokens) {
    std::vector<QString> texts;
    texts.reserve(tokens.size());
    for (const Token& token : tokens)
        texts.push_back(token.text);
    return texts;
}

}  // namespace

TokenView::TokenView(QWidget* parent) : QAbstractScrollArea(parent) {
    setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    viewport()->setBackgroundRole(QPalette::Base);
}

double TokenView::lineHeight() const {
    return std::ceil(QFontMetricsF(font()).height() * 1.35);
}

void TokenView::setTokens(std::vector<Token> tokens) {
    tokens_ = std::move(tokens);
    spans_.clear();
    mark_.reset();
    hovered_ = pressed_ = -1;
    relayout();
}

void TokenView::append(const std::vector<Token>& tokens) {
    const bool at_end = verticalScrollBar()->value() >= verticalScrollBar()->maximum();
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
    layout_.append(textsOf(tokens), QFontMetricsF(font()));
    setScrollRange();
    if (at_end)
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
    viewport()->update();
}

void TokenView::setSpans(std::vector<TokenSpan> spans) {
    spans_ = std::move(spans);
    viewport()->update();
}

void TokenView::setMark(std::optional<int> token) {
    mark_ = token;
    viewport()->update();
}

void TokenView::setHovered(std::optional<int> token) {
    if (hovered_ == token.value_or(-1))
        return;
    hovered_ = token.value_or(-1);
    viewport()->update();
}

void TokenView::scrollTo(int token) {
    const int line = layout_.lineOf(token);
    if (line >= 0)
        verticalScrollBar()->setValue(static_cast<int>(line * lineHeight()) - viewport()->height() / 3);
}

QString TokenView::text() const {
    QString all;
    for (const Token& token : tokens_)
        all += token.text;
    return all;
}

void TokenView::relayout() {
    const double width = std::max(40, viewport()->width() - kMargin - kGrid);
    layout_.set(textsOf(tokens_), QFontMetricsF(font()), width);
    setScrollRange();
    viewport()->update();
}

void TokenView::setScrollRange() {
    const int height = static_cast<int>(layout_.lineCount() * lineHeight()) + kGrid;
    verticalScrollBar()->setRange(0, std::max(0, height - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setSingleStep(static_cast<int>(lineHeight()));
}

const TokenSpan* TokenView::spanOf(int token) const {
    for (const TokenSpan& span : spans_)
        if (token >= span.first && token < span.end)
            return &span;
    return nullptr;
}

void TokenView::paintPiece(QPainter& painter, const TokenPiece& piece) const {
    const Token& token = tokens_[static_cast<size_t>(piece.token)];
    const double height = lineHeight();
    const double top = piece.line * height - verticalScrollBar()->value() + kGrid / 2.0;
    const QRectF box(kMargin + piece.x, top + 1, piece.width, height - 2);
    QColor ink = token.quiet ? quietTextColor(palette()) : palette().color(QPalette::Text);
    if (token.heat) {
        painter.fillRect(box, cividis(*token.heat));
        ink = textOnCividis(*token.heat);
    }
    if (const TokenSpan* span = spanOf(piece.token)) {
        const QColor color = roleColor(span->role, palette());
        if (!token.heat) {
            QColor ground = color;
            ground.setAlphaF(0.22F);
            painter.fillRect(box, ground);
        }
        painter.fillRect(QRectF(box.left(), box.bottom() - 2, box.width(), 2), color);
    }
    if (token.special) {
        painter.setPen(QPen(ruleColor(palette()), 1));
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5));
    }
    if (piece.token == hovered_) {
        painter.setPen(QPen(accentColor(palette()), 1.5));
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5));
    }
    painter.setPen(ink);
    painter.drawText(box, Qt::AlignVCenter | Qt::AlignLeft | Qt::TextDontClip, piece.text);
}

void TokenView::paintEvent(QPaintEvent*) {
    QPainter painter(viewport());
    painter.setFont(font());
    const double height = lineHeight();
    const int top = verticalScrollBar()->value();
    const int first = static_cast<int>(top / height) - 1;
    const int last = static_cast<int>((top + viewport()->height()) / height) + 1;
    const auto& pieces = layout_.pieces();
    for (size_t i = layout_.firstPiece(std::max(0, first)); i < pieces.size() && pieces[i].line <= last; ++i)
        paintPiece(painter, pieces[i]);
    if (mark_) {
        const double y = layout_.lineOf(*mark_) * height - top + kGrid / 2.0 + height / 2;
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(statusColor(Status::warning, palette()));
        painter.drawPolygon(QPolygonF{{3, y - 5}, {kMargin - 4.0, y}, {3, y + 5}});
    }
}

int TokenView::tokenAt(const QPointF& position) const {
    const double y = position.y() + verticalScrollBar()->value() - kGrid / 2.0;
    return y < 0 ? -1 : layout_.tokenAt(static_cast<int>(y / lineHeight()), position.x() - kMargin);
}

void TokenView::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    relayout();
}

void TokenView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::FontChange)
        relayout();
    QAbstractScrollArea::changeEvent(event);
}

void TokenView::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy))
        QGuiApplication::clipboard()->setText(text());
    else
        QAbstractScrollArea::keyPressEvent(event);
}

void TokenView::mouseMoveEvent(QMouseEvent* event) {
    const int token = tokenAt(event->position());
    if (token != hovered_) {
        setHovered(token < 0 ? std::nullopt : std::optional(token));
        Q_EMIT hovered(token);
    }
    if (picking_ && pressed_ >= 0 && token >= 0)
        setSpans({{std::min(pressed_, token), std::max(pressed_, token) + 1, Role::spd}});
}

void TokenView::mousePressEvent(QMouseEvent* event) {
    pressed_ = event->button() == Qt::LeftButton ? tokenAt(event->position()) : -1;
}

void TokenView::mouseReleaseEvent(QMouseEvent* event) {
    const int token = tokenAt(event->position());
    const int pressed = std::exchange(pressed_, -1);
    if (pressed < 0 || token < 0)
        return;
    if (picking_)
        Q_EMIT tokensPicked(std::min(pressed, token), std::max(pressed, token) + 1);
    if (token == pressed)
        Q_EMIT clicked(token);
}

bool TokenView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int token = tokenAt(help->pos());
        QToolTip::showText(help->globalPos(), token < 0 ? QString() : tokens_[static_cast<size_t>(token)].tip,
                           this);
        return true;
    }
    if (event->type() == QEvent::Leave && hovered_ >= 0) {
        setHovered({});
        Q_EMIT hovered(-1);
    }
    return QAbstractScrollArea::viewportEvent(event);
}

}  // namespace spd
