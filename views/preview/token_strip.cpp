#include "views/preview/token_strip.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>

#include "views/shared/colors.h"
#include "views/shared/numbers.h"

namespace spd {

TokenStrip::TokenStrip(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setFixedHeight(48);
    setAccessibleName(tr("Entropy and KL to base of each token"));
    setToolTip(
        tr("Upwards: entropy of the next token, nats. Downwards: KL divergence to the base model, nats."));
}

void TokenStrip::setTokens(const std::vector<PreviewToken>& tokens) {
    bars_.clear();
    most_entropy_ = most_kl_ = 1e-9;
    for (const PreviewToken& token : tokens) {
        bars_.push_back({token.entropy, token.kl_to_base});
        most_entropy_ = std::max(most_entropy_, token.entropy);
        most_kl_ = std::max(most_kl_, token.kl_to_base);
    }
    update();
}

void TokenStrip::setLinked(int token) {
    linked_ = token;
    update();
}

void TokenStrip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const double middle = height() / 2.0;
    painter.fillRect(QRectF(0, middle - 0.5, width(), 1), ruleColor(palette()));
    if (bars_.empty())
        return;
    const double step = std::min(8.0, static_cast<double>(width()) / static_cast<double>(bars_.size()));
    const double bar_width = std::max(1.0, step - 1);
    for (size_t i = 0; i < bars_.size(); ++i) {
        const double x = static_cast<double>(i) * step;
        const double up = (middle - 1) * bars_[i].entropy / most_entropy_;
        const double down = (middle - 1) * bars_[i].kl / most_kl_;
        painter.fillRect(QRectF(x, middle - 1 - up, bar_width, up), roleColor(Role::base, palette()));
        painter.fillRect(QRectF(x, middle + 1, bar_width, down), roleColor(Role::spd, palette()));
        if (static_cast<int>(i) == linked_) {
            painter.setPen(accentColor(palette()));
            painter.drawRect(QRectF(x - 0.5, 0.5, bar_width, height() - 1));
        }
    }
}

void TokenStrip::mouseMoveEvent(QMouseEvent* event) {
    if (bars_.empty())
        return;
    const double step = std::min(8.0, static_cast<double>(width()) / static_cast<double>(bars_.size()));
    const auto token = static_cast<int>(event->position().x() / step);
    Q_EMIT tokenHovered(token < static_cast<int>(bars_.size()) ? token : -1);
}

void TokenStrip::leaveEvent(QEvent*) {
    Q_EMIT tokenHovered(-1);
}

}  // namespace spd
