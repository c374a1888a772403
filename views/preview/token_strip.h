#pragma once

#include <QWidget>
#include <vector>

#include "views/preview/preview_values.h"

namespace spd {

/// Entropy (upwards) and KL to base (downwards) of each token as bars, on one scale a direction; the pointer
/// tells a token's numbers. GUI thread.
class TokenStrip : public QWidget {
    Q_OBJECT

public:
    explicit TokenStrip(QWidget* parent = nullptr);

    void setTokens(const std::vector<PreviewToken>& tokens);
    /// Marks a token: the pointer is on it elsewhere. -1: none.
    void setLinked(int token);
    QSize sizeHint() const override { return {120, 48}; }

Q_SIGNALS:
    void tokenHovered(int token);  ///< -1: none

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    struct Bar {
        double entropy = 0;
        double kl = 0;
    };
    std::vector<Bar> bars_;
    double most_entropy_ = 1;
    double most_kl_ = 1;
    int linked_ = -1;
};

}  // namespace spd
