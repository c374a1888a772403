#pragma once

#include <QAbstractScrollArea>
#include <optional>
#include <vector>

#include "views/shared/token_view/token_layout.h"

namespace spd {

/// A text as its tokens, to be read and picked from: boundaries as alternating tints, special tokens boxed,
/// spans filled and underlined, the prompt dimmed, heat as ground, a mark where two texts part. Only what is
/// seen is drawn: 100,000 tokens scroll like 100.
///
/// Drag, Shift + arrows, Ctrl+A select a range of tokens; Ctrl+C copies its text. A drag over two tokens or
/// more, a double click and Enter choose it (with Ctrl: beside what is chosen already), Delete takes it away.
/// GUI thread.
class TokenView : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit TokenView(QWidget* parent = nullptr);

    /// Replaces the tokens; spans, prompt and marks of the earlier ones go.
    void setTokens(std::vector<ShownToken> tokens);
    /// Behind the last one: what a running generation adds. Scrolls along when the end was seen.
    void append(std::vector<ShownToken> tokens);
    const std::vector<ShownToken>& tokens() const { return tokens_; }

    void setSpans(std::vector<TokenSpan> spans);
    /// The first `count` tokens are dimmed.
    void setPromptTokens(int count);
    /// The first token that differs from another text's.
    void setDivergence(std::optional<int> token);
    /// Framed: the pointer is on it in another view. -1: none.
    void setLinked(int token);
    /// Ids under the tokens.
    void setIdsShown(bool on);
    void setPlaceholder(const QString& text);

    /// The selected range as tokens [from, to); empty: none.
    TokenSpan selection() const;
    void select(int first, int last);
    void clearSelection();
    int current() const { return current_; }
    void scrollTo(int token);

Q_SIGNALS:
    void rangeSelected(int first, int last);  ///< both included; with each step of keys, at a drag's end
    void rangeChosen(int first, int last, bool add);
    void rangeRemoved(int first, int last);
    void tokenHovered(int token);  ///< -1: none

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    bool viewportEvent(QEvent* event) override;

private:
    void measure(size_t from);
    void layOut();
    double rowHeight() const;
    QRectF rectOf(int token) const;
    int tokenAt(const QPointF& position, bool nearest) const;
    void moveTo(int token, bool extend);
    std::optional<int> targetOf(const QKeyEvent& event) const;
    void hover(int token);
    void copySelection() const;
    void paintGround(QPainter& painter, int token) const;
    void paintText(QPainter& painter, int token) const;
    void paintMarks(QPainter& painter, int token) const;
    bool isInSpan(int token) const;

    std::vector<ShownToken> tokens_;
    std::vector<QString> texts_;           // as they are drawn
    std::vector<TokenLayout::Box> boxes_;  // measured once
    TokenLayout layout_;
    std::vector<TokenSpan> spans_;  // ascending, apart
    int prompt_tokens_ = 0;
    std::optional<int> divergence_;
    int linked_ = -1;
    bool ids_shown_ = false;
    QString placeholder_;
    int current_ = 0;
    int anchor_ = -1;  // other end of the selection; -1: none
    int hovered_ = -1;
    bool dragging_ = false;
};

}  // namespace spd
