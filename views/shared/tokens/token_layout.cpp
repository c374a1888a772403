#include "views/shared/tokens/token_layout.h"

#include <algorithm>

namespace spd {

namespace {

constexpr char16_t kLineEndMark = u'\u23ce';

/// How many characters fit; at least one, and never half of a surrogate pair.
qsizetype fitting(const QString& text, const QFontMetricsF& metrics, double width) {
    qsizetype low = 1, high = text.size();
    while (low < high) {
        const qsizetype middle = (low + high + 1) / 2;
        if (metrics.horizontalAdvance(text.left(middle)) <= width)
            low = middle;
        else
            high = middle - 1;
    }
    if (low < text.size() && text[low].isLowSurrogate())
        low = low > 1 ? low - 1 : 2;
    return low;
}

}  // namespace

void TokenLayout::set(const std::vector<QString>& texts, const QFontMetricsF& metrics, double width) {
    pieces_.clear();
    const double narrow = metrics.horizontalAdvance(QStringLiteral("ii"));
    const double wide = metrics.horizontalAdvance(QStringLiteral("mm"));
    mono_ = narrow == wide ? wide / 2 : 0;
    width_ = width;
    x_ = 0;
    line_ = tokens_ = 0;
    append(texts, metrics);
}

void TokenLayout::append(const std::vector<QString>& texts, const QFontMetricsF& metrics) {
    for (const QString& whole : texts) {
        const int token = tokens_++;
        qsizetype start = 0;
        while (true) {
            const qsizetype end = whole.indexOf(u'\n', start);
            QString part = end < 0 ? whole.mid(start) : whole.mid(start, end - start) + QChar(kLineEndMark);
            part.replace(u'\t', QStringLiteral("    ")).remove(u'\r');
            if (!part.isEmpty() || whole.isEmpty())
                put(token, part, metrics);
            if (end < 0)
                break;
            breakLine();
            start = end + 1;
        }
    }
}

/// Shaping takes microseconds a token; in a mono font ASCII needs none.
double TokenLayout::advance(const QString& text, const QFontMetricsF& metrics) const {
    const bool plain =
        mono_ > 0 && std::all_of(text.begin(), text.end(), [](QChar c) { return c < QChar(0x7f); });
    return plain ? mono_ * static_cast<double>(text.size()) : metrics.horizontalAdvance(text);
}

void TokenLayout::put(int token, QString text, const QFontMetricsF& metrics) {
    double width = advance(text, metrics);
    if (x_ > 0 && x_ + width > width_)
        breakLine();
    while (width > width_ && text.size() > 1) {  // longer than a line
        const qsizetype count = fitting(text, metrics, width_);
        if (count >= text.size())
            break;
        const QString start = text.left(count);
        pieces_.push_back({token, line_, x_, metrics.horizontalAdvance(start), start});
        breakLine();
        text = text.mid(count);
        width = advance(text, metrics);
    }
    pieces_.push_back({token, line_, x_, width, text});
    x_ += width;
}

void TokenLayout::breakLine() {
    ++line_;
    x_ = 0;
}

size_t TokenLayout::firstPiece(int line) const {
    const auto found = std::lower_bound(pieces_.begin(), pieces_.end(), line,
                                        [](const TokenPiece& piece, int at) { return piece.line < at; });
    return static_cast<size_t>(found - pieces_.begin());
}

int TokenLayout::tokenAt(int line, double x) const {
    for (size_t i = firstPiece(line); i < pieces_.size() && pieces_[i].line == line; ++i)
        if (x >= pieces_[i].x && x < pieces_[i].x + pieces_[i].width)
            return pieces_[i].token;
    return -1;
}

int TokenLayout::lineOf(int token) const {
    const auto found = std::lower_bound(pieces_.begin(), pieces_.end(), token,
                                        [](const TokenPiece& piece, int at) { return piece.token < at; });
    return found == pieces_.end() ? -1 : found->line;
}

}  // namespace spd
