#include "views/shared/token_view/token_view.h"

#include <QApplication>
#include <QClipboard>
#include <QFontDatabase>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr double kSideOfText = 1.5;
constexpr double kSideOfSpecial = 5;
constexpr double kLineGap = 5;

}  // namespace

TokenView::TokenView(QWidget* parent) : QAbstractScrollArea(parent) {
    setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);  // its coming and going would lay out twice
    setMinimumHeight(3 * static_cast<int>(rowHeight()));
    viewport()->setMouseTracking(true);
    viewport()->setCursor(Qt::IBeamCursor);
    viewport()->setBackgroundRole(QPalette::Base);
    viewport()->setAutoFillBackground(true);
    setAccessibleName(tr("Tokens"));
}

void TokenView::setTokens(std::vector<ShownToken> tokens) {
    tokens_ = std::move(tokens);
    texts_.clear();
    boxes_.clear();
    spans_.clear();
    prompt_tokens_ = 0;
    divergence_.reset();
    linked_ = -1;
    current_ = 0;
    anchor_ = -1;
    hover(-1);
    measure(0);
    layOut();
    verticalScrollBar()->setValue(0);
}

void TokenView::append(std::vector<ShownToken> tokens) {
    const QScrollBar* bar = verticalScrollBar();
    const bool at_end = bar->value() == bar->maximum();
    const size_t before = tokens_.size();
    tokens_.insert(tokens_.end(), std::make_move_iterator(tokens.begin()),
                   std::make_move_iterator(tokens.end()));
    measure(before);
    layOut();
    if (at_end)
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void TokenView::setSpans(std::vector<TokenSpan> spans) {
    spans_ = std::move(spans);
    viewport()->update();
}

void TokenView::setPromptTokens(int count) {
    prompt_tokens_ = count;
    viewport()->update();
}

void TokenView::setDivergence(std::optional<int> token) {
    divergence_ = token;
    viewport()->update();
}

void TokenView::setLinked(int token) {
    if (token == linked_)
        return;
    linked_ = token;
    viewport()->update();
}

void TokenView::setIdsShown(bool on) {
    ids_shown_ = on;
    measure(0);
    layOut();
}

void TokenView::setPlaceholder(const QString& text) {
    placeholder_ = text;
    viewport()->update();
}

TokenSpan TokenView::selection() const {
    if (anchor_ < 0)
        return {};
    return {std::min(anchor_, current_), std::max(anchor_, current_) + 1};
}

void TokenView::select(int first, int last) {
    if (tokens_.empty())
        return;
    const int end = static_cast<int>(tokens_.size()) - 1;
    anchor_ = std::clamp(first, 0, end);
    current_ = std::clamp(last, 0, end);
    scrollTo(current_);
    viewport()->update();
}

void TokenView::clearSelection() {
    anchor_ = -1;
    viewport()->update();
}

void TokenView::copySelection() const {
    const TokenSpan range = anchor_ < 0 ? TokenSpan{0, static_cast<int>(tokens_.size())} : selection();
    QString text;
    for (int token = range.from; token < range.to; ++token)
        text += tokens_[static_cast<size_t>(token)].text;
    QApplication::clipboard()->setText(text);
}

/// Texts and widths of the tokens from `from` on. A mono font's usual characters are all as wide.
void TokenView::measure(size_t from) {
    const QFontMetricsF metrics(font());
    const double cell = metrics.horizontalAdvance(QLatin1Char('0'));
    texts_.resize(from);
    boxes_.resize(from);
    for (size_t i = from; i < tokens_.size(); ++i) {
        const QString text = readableText(tokens_[i].text);
        const bool plain = std::all_of(text.begin(), text.end(),
                                       [](QChar c) { return c.unicode() >= 0x20 && c < u'\u007f'; });
        double width = plain ? cell * static_cast<double>(text.size()) : metrics.horizontalAdvance(text);
        if (ids_shown_)
            width =
                std::max(width, 0.8 * cell * static_cast<double>(QString::number(tokens_[i].id).size()) + 3);
        width += 2 * (tokens_[i].special ? kSideOfSpecial : kSideOfText);
        texts_.push_back(text);
        boxes_.push_back({width, tokens_[i].text.endsWith(u'\n')});
    }
}

void TokenView::layOut() {
    layout_.build(boxes_, viewport()->width() - kInner - kGrid);
    QScrollBar* bar = verticalScrollBar();
    const int content = static_cast<int>(layout_.rows() * rowHeight()) + kGrid;
    bar->setRange(0, std::max(0, content - viewport()->height()));
    bar->setPageStep(viewport()->height());
    bar->setSingleStep(static_cast<int>(rowHeight()));
    viewport()->update();
}

double TokenView::rowHeight() const {
    const double line = QFontMetricsF(font()).height();
    return line + kLineGap + (ids_shown_ ? 0.75 * line : 0);
}

/// On the viewport, scrolled.
QRectF TokenView::rectOf(int token) const {
    const double top = kGrid / 2.0 + layout_.rowOf(token) * rowHeight() - verticalScrollBar()->value();
    return {kInner + layout_.left(token), top, layout_.width(token), rowHeight() - 2};
}

int TokenView::tokenAt(const QPointF& position, bool nearest) const {
    const double y = position.y() - kGrid / 2.0 + verticalScrollBar()->value();
    const int row = static_cast<int>(std::floor(y / rowHeight()));
    const double x = position.x() - kInner;
    return nearest ? layout_.nearest(row, x) : layout_.tokenAt(row, x);
}

void TokenView::scrollTo(int token) {
    if (token < 0 || token >= layout_.size())
        return;
    const QRectF rect = rectOf(token);
    QScrollBar* bar = verticalScrollBar();
    if (rect.top() < 0)
        bar->setValue(bar->value() + static_cast<int>(rect.top()) - kGrid);
    else if (rect.bottom() > viewport()->height())
        bar->setValue(bar->value() + static_cast<int>(rect.bottom()) - viewport()->height() + kGrid);
}

void TokenView::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

void TokenView::changeEvent(QEvent* event) {
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::FontChange) {
        measure(0);
        layOut();
    }
}

}  // namespace spd
