#include "views/model/memory_bars.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>

#include "views/shared/colors.h"
#include "views/shared/icons.h"
#include "views/shared/numbers.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kLabelWidth = 84;
constexpr int kNumberWidth = 104;

double available(const protocol::ModelInspection& found) {
    return static_cast<double>(found.machine.memory_available);
}

}  // namespace

std::vector<MemoryStage> memoryStages(const protocol::ModelInspection& found) {
    if (!found.memory)
        return {};
    const protocol::StageMemory& memory = *found.memory;
    const QString dtype = QString::fromStdString(memory.dtype);
    std::vector<MemoryStage> stages = {
        {.name = MemoryBars::tr("weights"),
         .tip = MemoryBars::tr("The weights in %1, a tied head once").arg(dtype),
         .bytes = static_cast<double>(memory.weights)},
        {.name = MemoryBars::tr("calibrate"),
         .tip =
             MemoryBars::tr("Weights in float32, what the backward pass of one example of 512 tokens keeps, "
                            "and the Gram matrices of K and V of every layer"),
         .bytes = static_cast<double>(memory.calibrate)},
        {.name = MemoryBars::tr("generate"),
         .tip = MemoryBars::tr("Weights in %1 and %2 sequences at once, each with a KV cache of %3 for %4 "
                               "positions")
                    .arg(dtype)
                    .arg(memory.sequences)
                    .arg(formatBytes(static_cast<double>(memory.kv_cache_per_slot)),
                         formatCount(memory.context)),
         .bytes = static_cast<double>(memory.generate)},
        {.name = MemoryBars::tr("train"),
         .tip =
             MemoryBars::tr("Weights in %1, LoRA with r 8 and its AdamW moments, and what the backward pass "
                            "of one sequence of 1 024 tokens keeps")
                 .arg(dtype),
         .bytes = static_cast<double>(memory.train)}};
    for (MemoryStage& stage : stages)
        stage.fits = stage.bytes <= available(found);
    return stages;
}

QString memoryVerdict(const protocol::ModelInspection& found) {
    const std::vector<MemoryStage> stages = memoryStages(found);
    if (stages.empty())
        return MemoryBars::tr("Nothing is known about its memory: the model cannot be loaded.");
    QStringList too_large;
    for (const MemoryStage& stage : stages)
        if (!stage.fits)
            too_large.push_back(
                MemoryBars::tr("%1 by %2").arg(stage.name, formatBytes(stage.bytes - available(found))));
    const QString free = formatBytes(available(found));
    return too_large.isEmpty()
               ? MemoryBars::tr("Every stage fits into the %1 that are free now.").arg(free)
               : MemoryBars::tr(
                     "More than the %1 that are free now: %2. These are upper estimates; shorter "
                     "contexts and examples need less.")
                     .arg(free, too_large.join(QStringLiteral(", ")));
}

MemoryBars::MemoryBars(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Memory by stage"));
}

void MemoryBars::setStages(std::vector<MemoryStage> stages, double available, double total) {
    stages_ = std::move(stages);
    available_ = available;
    total_ = total;
    QStringList said;
    for (const MemoryStage& stage : stages_)
        said.push_back(QStringLiteral("%1 %2").arg(stage.name, formatBytes(stage.bytes)));
    setAccessibleDescription(said.join(QStringLiteral(", ")));
    updateGeometry();
    update();
}

double MemoryBars::rowHeight() const {
    return QFontMetricsF(font()).height() + 1.5 * kGrid;
}

QSize MemoryBars::sizeHint() const {
    const double marks = 2 * QFontMetricsF(font()).height() + kGrid;
    return {480, static_cast<int>(4 * rowHeight() + marks)};
}

QRectF MemoryBars::barArea() const {
    return {static_cast<double>(kLabelWidth), 0, std::max(40.0, width() - kLabelWidth - kNumberWidth - 1.0),
            static_cast<double>(stages_.size()) * rowHeight()};
}

double MemoryBars::xOf(double bytes) const {
    double largest = std::max(total_, available_);
    for (const MemoryStage& stage : stages_)
        largest = std::max(largest, stage.bytes);
    const QRectF area = barArea();
    return area.left() + (largest > 0 ? bytes / largest * area.width() : 0);
}

void MemoryBars::paintStage(QPainter& painter, size_t index) const {
    const MemoryStage& stage = stages_[index];
    const double top = static_cast<double>(index) * rowHeight();
    const QRectF area = barArea();
    const QRectF bar(area.left(), top + kGrid / 2.0, std::max(2.0, xOf(stage.bytes) - area.left()),
                     rowHeight() - kGrid);
    painter.setPen(palette().color(QPalette::WindowText));
    painter.drawText(QRectF(0, top, kLabelWidth - kGrid, rowHeight()), Qt::AlignLeft | Qt::AlignVCenter,
                     stage.name);
    painter.fillRect(QRectF(area.left(), bar.top(), area.width(), bar.height()),
                     palette().color(QPalette::AlternateBase));
    if (stage.fits)
        painter.fillRect(bar, roleColor(Role::base, palette()));
    else
        painter.fillRect(bar, QBrush(statusColor(Status::warning, palette()), Qt::BDiagPattern));
    const QRectF number(area.right() + kGrid, top, kNumberWidth - kGrid, rowHeight());
    painter.drawText(number, Qt::AlignLeft | Qt::AlignVCenter, formatBytes(stage.bytes));
    if (!stage.fits)
        icon(QStringLiteral("warning"))
            .paint(&painter, QRect(width() - 17, static_cast<int>(top + rowHeight() / 2) - 8, 16, 16));
}

void MemoryBars::paintMark(QPainter& painter, double bytes, const QString& text, Qt::PenStyle style,
                           int line) const {
    if (bytes <= 0)
        return;
    const QRectF area = barArea();
    const double x = xOf(bytes);
    const QFontMetricsF metrics(font());
    const double text_top = area.bottom() + kGrid / 2.0 + line * metrics.height();
    painter.setPen(QPen(palette().color(QPalette::WindowText), 1.5, style));
    painter.drawLine(QPointF(x, area.top()), QPointF(x, text_top + metrics.height() / 2));
    const double text_width = metrics.horizontalAdvance(text);
    painter.drawText(QPointF(x - text_width - kGrid / 2.0, text_top + metrics.ascent()), text);
}

void MemoryBars::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    for (size_t i = 0; i < stages_.size(); ++i)
        paintStage(painter, i);
    if (stages_.empty())
        return;
    paintMark(painter, available_, tr("free now %1").arg(formatBytes(available_)), Qt::SolidLine, 0);
    paintMark(painter, total_, tr("whole memory %1").arg(formatBytes(total_)), Qt::DashLine, 1);
}

bool MemoryBars::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const auto row = static_cast<size_t>(std::max(0.0, help->pos().y() / rowHeight()));
    QToolTip::showText(help->globalPos(), row < stages_.size() ? stages_[row].tip : QString(), this);
    return true;
}

}  // namespace spd
