#include "views/frame/status_line.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QProgressBar>
#include <QToolButton>

#include "views/shared/theme.h"

namespace spd {

namespace {

/// Full when all is well, a ring while something happens, a triangle when one should look: told apart by
/// shape.
QIcon statusIcon(Status status, const QPalette& palette) {
    QPixmap pixmap(32, 32);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor color = statusColor(status, palette);
    painter.setPen(QPen(color, 4));
    if (status == Status::done)
        painter.setBrush(color);
    if (status == Status::warning)
        painter.drawPolygon(QPolygonF{{16, 6}, {28, 27}, {4, 27}});
    else
        painter.drawEllipse(QRectF(8, 8, 16, 16));
    return QIcon(pixmap);
}

}  // namespace

StatusLine::StatusLine(QWidget* parent)
    : QWidget(parent),
      engine_(new QToolButton),
      where_(new QLabel),
      model_(new QLabel),
      jobs_(new QLabel),
      meter_(new QProgressBar),
      meter_words_(new QLabel),
      saved_(new QLabel) {
    engine_->setAutoRaise(true);
    engine_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    meter_->setTextVisible(false);
    meter_->setFixedSize(10 * kGrid, kGrid);
    saved_->setForegroundRole(QPalette::PlaceholderText);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(kGrid / 2, 0, kInner, 0);
    layout->setSpacing(2 * kGrid);
    for (QWidget* widget : std::initializer_list<QWidget*>{engine_, where_, model_})
        layout->addWidget(widget);
    layout->addStretch();
    for (QWidget* widget : std::initializer_list<QWidget*>{jobs_, meter_, meter_words_, saved_})
        layout->addWidget(widget);
    connect(engine_, &QToolButton::clicked, this, &StatusLine::engineClicked);
}

void StatusLine::setValues(const StatusValues& values) {
    const QString room = fontMetrics().elidedText(values.engine, Qt::ElideRight, 60 * kGrid);
    engine_->setText(room);
    engine_->setIcon(statusIcon(values.engine_status, palette()));
    engine_->setToolTip(values.tip.isEmpty() ? values.engine : values.tip);
    where_->setText(values.device.isEmpty()
                        ? values.where
                        : QStringLiteral("%1 \u00b7 %2").arg(values.where, values.device));
    where_->setVisible(!where_->text().isEmpty());
    model_->setText(values.model);
    model_->setVisible(!values.model.isEmpty());
    jobs_->setText(values.jobs);
    meter_->setVisible(values.share >= 0);
    meter_->setRange(0, values.share > 0 ? 1000 : 0);  // unknown: a bar that moves
    meter_->setValue(static_cast<int>(1000 * values.share));
    meter_words_->setText(values.meter);
    meter_words_->setVisible(!values.meter.isEmpty());
    saved_->setText(values.saved);
    saved_->setVisible(!values.saved.isEmpty());
}

}  // namespace spd
