#include "views/shared/notice/notice_line.h"

#include <QApplication>
#include <QClipboard>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QToolButton>

#include "views/shared/icons.h"
#include "views/shared/theme.h"

namespace spd {

NoticeLine::NoticeLine(QWidget* parent)
    : QWidget(parent),
      sign_(new QLabel),
      message_(new QLabel),
      fold_(new QToolButton),
      copy_(new QToolButton),
      details_(new QPlainTextEdit) {
    const QFontMetrics metrics = fontMetrics();
    sign_->setPixmap(icon(QStringLiteral("warning")).pixmap(16, 16));
    message_->setWordWrap(true);
    message_->setTextFormat(Qt::PlainText);
    message_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    fold_->setText(tr("Details"));
    fold_->setCheckable(true);
    copy_->setIcon(icon(QStringLiteral("copy")));
    copy_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    details_->setReadOnly(true);
    details_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    details_->setMaximumHeight(5 * metrics.lineSpacing());
    details_->setAccessibleName(tr("Details"));
    auto* row = new QHBoxLayout;
    row->setSpacing(kGrid);
    row->addWidget(sign_, 0, Qt::AlignTop);
    row->addWidget(message_, 1);
    row->addWidget(fold_, 0, Qt::AlignTop);
    row->addWidget(copy_, 0, Qt::AlignTop);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    layout->addLayout(row);
    layout->addWidget(details_);
    connect(fold_, &QToolButton::toggled, details_, &QWidget::setVisible);
    connect(copy_, &QToolButton::clicked, this, [this] { QApplication::clipboard()->setText(copied_); });
    clear();
}

void NoticeLine::fill(const QString& message, const QString& details, const QString& copied) {
    message_->setText(message);
    details_->setPlainText(details);
    fold_->setChecked(false);
    fold_->setVisible(!details.isEmpty());
    details_->hide();
    copied_ = copied;
    setAccessibleName(message);
    setVisible(true);
}

void NoticeLine::say(const QString& message, const QStringList& details) {
    const QString lines = details.join(u'\n');
    copy_->setText(tr("Copy"));
    copy_->setToolTip(tr("Copies the message and its details"));
    fill(message, lines, lines.isEmpty() ? message : message + u'\n' + lines);
}

void NoticeLine::showCommand(const QString& message, const QString& command) {
    copy_->setText(tr("Copy command"));
    copy_->setToolTip(command);
    fill(message, {}, command);
}

void NoticeLine::clear() {
    message_->clear();
    copied_.clear();
    setVisible(false);
}

QString NoticeLine::message() const {
    return message_->text();
}

}  // namespace spd
