#pragma once

#include <QAbstractScrollArea>
#include <optional>
#include <vector>

#include "views/shared/colors.h"
#include "views/shared/tokens/token_layout.h"

namespace spd {

struct Token {
    QString text;                ///< joined, the texts are the whole; U+FFFD where a character is cut
    std::optional<double> heat;  ///< 0 .. 1: ground in cividis (KL, entropy, |S|)
    bool quiet = false;          ///< dimmed: the prompt
    bool special = false;        ///< a special token: framed
    QString tip;                 ///< shown under the pointer: "#17  id 1234  -log p 0.83"
};

/// Tokens that belong together: the correctness span, a selection.
struct TokenSpan {
    int first = 0;
    int end = 0;  ///< behind the last
    Role role = Role::spd;
};

/// A text of tokens in a mono font, wrapped: each may have a ground by value, spans are underlined and
/// filled, the token under the pointer is framed here and, linked by hovered() and setHovered(), in other
/// panes. Only what is seen is painted: 100,000 tokens scroll like 100. GUI thread.
class TokenView : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit TokenView(QWidget* parent = nullptr);

    void setTokens(std::vector<Token> tokens);
    /// What a running generation adds; the view stays at the end when it was there.
    void append(const std::vector<Token>& tokens);
    const std::vector<Token>& tokens() const { return tokens_; }
    void setSpans(std::vector<TokenSpan> spans);
    /// A mark in the margin beside this token: the first divergence.
    void setMark(std::optional<int> token);
    /// Frames a token without hovered(): a linked pane. Nothing: none.
    void setHovered(std::optional<int> token);
    void scrollTo(int token);
    /// Selecting by dragging says tokensPicked(); off by default.
    void setPicking(bool on) { picking_ = on; }
    QString text() const;

Q_SIGNALS:
    void hovered(int token);  ///< -1: the pointer left
    void clicked(int token);
    void tokensPicked(int first, int end);  ///< end: behind the last

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    bool viewportEvent(QEvent* event) override;

private:
    void relayout();
    void setScrollRange();
    int tokenAt(const QPointF& position) const;
    double lineHeight() const;
    const TokenSpan* spanOf(int token) const;
    void paintPiece(QPainter& painter, const TokenPiece& piece) const;

    std::vector<Token> tokens_;
    std::vector<TokenSpan> spans_;
    TokenLayout layout_;
    std::optional<int> mark_;
    int hovered_ = -1;
    int pressed_ = -1;
    bool picking_ = false;
};

}  // namespace spd
