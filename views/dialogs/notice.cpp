#include "views/dialogs/notice.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

#include "views/shared/icons.h"
#include "views/shared/theme.h"

namespace spd {

Notice::Notice(QWidget* parent) : QWidget(parent), text_(new QLabel), button_(new QPushButton) {
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::ToolTipBase);
    text_->setWordWrap(true);
    text_->setTextFormat(Qt::PlainText);  // it may quote a file or an engine
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* mark = new QToolButton;  // no label: it draws the icon anew when the palette changes
    mark->setIcon(icon(QStringLiteral("warning")));
    mark->setAutoRaise(true);
    mark->setFocusPolicy(Qt::NoFocus);
    mark->setAttribute(Qt::WA_TransparentForMouseEvents);
    auto* close = new QToolButton;
    close->setIcon(icon(QStringLiteral("cancel")));
    close->setAutoRaise(true);
    close->setToolTip(tr("Hide this message; the log keeps it"));
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    connect(button_, &QPushButton::clicked, this, [this] {
        hide();
        if (action_)
            action_();
    });
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(kGrid, kGrid / 2, kGrid, kGrid / 2);
    row->addWidget(mark);
    row->addWidget(text_, 1);
    row->addWidget(button_);
    row->addWidget(close);
    hide();
}

void Notice::say(const QString& text, const QString& button, std::function<void()> action) {
    text_->setText(text);
    button_->setText(button);
    button_->setVisible(!button.isEmpty());
    action_ = std::move(action);
    setVisible(!text.isEmpty());
}

QString Notice::text() const {
    return text_->text();
}

}  // namespace spd
