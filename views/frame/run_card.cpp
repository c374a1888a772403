#include "views/frame/run_card.h"

#include <QAbstractButton>
#include <QEvent>
#include <QLabel>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>

#include "views/shared/numbers.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kLabelWidth = 8 * kGrid;

/// A label and a value; the whole line is a flat button that jumps to the field.
class LineButton : public QAbstractButton {
public:
    explicit LineButton(const RunCardValues::Line& line) : line_(line) {
        setText(line.label);
        setToolTip(line.tip.isEmpty() ? RunCard::tr("Go to its field") : line.tip);
        setAccessibleName(QStringLiteral("%1: %2").arg(line.label, line.value));
        setCursor(Qt::PointingHandCursor);
        setFocusPolicy(Qt::StrongFocus);
        setAttribute(Qt::WA_Hover);
        setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    }
    QSize sizeHint() const override { return {kLabelWidth + 12 * kGrid, fontMetrics().height() + kGrid / 2}; }

private:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        if (underMouse() || hasFocus()) {
            QColor ground = accentColor(palette());
            ground.setAlphaF(0.1F);
            painter.fillRect(rect(), ground);
        }
        const bool missing = line_.value.isEmpty();
        painter.setPen(quietTextColor(palette()));
        painter.drawText(rect().adjusted(0, 0, -kGrid, 0), Qt::AlignVCenter | Qt::AlignLeft, line_.label);
        const int label_width = fontMetrics().horizontalAdvance(line_.label) + kGrid;
        const QRect space = rect().adjusted(std::max(kLabelWidth, label_width), 0, 0, 0);
        if (!missing)
            painter.setPen(palette().color(QPalette::WindowText));
        const QString value = missing ? RunCard::tr("not chosen yet") : line_.value;
        painter.drawText(space, Qt::AlignVCenter | Qt::AlignLeft,
                         fontMetrics().elidedText(value, Qt::ElideMiddle, space.width()));
    }

    RunCardValues::Line line_;
};

QLabel* quietTitle(const QString& text) {
    auto* label = new QLabel(text);
    label->setForegroundRole(QPalette::PlaceholderText);
    return label;
}

}  // namespace

RunCard::RunCard(QWidget* parent)
    : QFrame(parent),
      name_(new QLabel),
      lines_(new QVBoxLayout),
      differences_title_(quietTitle(tr("differs from the default"))),
      differences_(new QVBoxLayout),
      memory_(new QLabel),
      memory_bar_(new QProgressBar),
      button_(new QPushButton) {
    QFont bold = name_->font();
    bold.setWeight(QFont::DemiBold);
    name_->setFont(bold);
    name_->setWordWrap(true);
    memory_bar_->setTextVisible(false);
    memory_bar_->setFixedHeight(kGrid / 2);
    memory_->setForegroundRole(QPalette::PlaceholderText);
    button_->setMinimumHeight(5 * kGrid);
    QFont strong = button_->font();
    strong.setWeight(QFont::DemiBold);
    button_->setFont(strong);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->setSpacing(kGrid);
    layout->addWidget(quietTitle(tr("Run")));
    layout->addWidget(name_);
    layout->addLayout(lines_);
    layout->addSpacing(kGrid);
    layout->addWidget(differences_title_);
    layout->addLayout(differences_);
    layout->addStretch();
    layout->addWidget(memory_);
    layout->addWidget(memory_bar_);
    layout->addWidget(button_);
    lines_->setSpacing(0);
    differences_->setSpacing(0);
    connect(button_, &QPushButton::clicked, this, &RunCard::nextStepWanted);
    colorButton();
    setValues({});
}

/// The one button of the window in its accent.
void RunCard::colorButton() {
    QPalette colors = palette();
    // Fusion paints it lighter than it is told; white on it has to keep 4.5 : 1.
    colors.setColor(QPalette::Button,
                    palette().color(QPalette::Highlight).darker(isDark(palette()) ? 170 : 150));
    colors.setColor(QPalette::ButtonText, Qt::white);
    button_->setPalette(colors);
}

void RunCard::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange)
        colorButton();
    QFrame::changeEvent(event);
}

void RunCard::fillLines(QVBoxLayout* layout, const std::vector<RunCardValues::Line>& lines) {
    while (QLayoutItem* item = layout->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();  // it may be the one whose click led here
        delete item;
    }
    for (const RunCardValues::Line& line : lines) {
        auto* button = new LineButton(line);
        connect(button, &QAbstractButton::clicked, this,
                [this, page = line.page] { Q_EMIT pageWanted(page); });
        layout->addWidget(button);
    }
}

void RunCard::setValues(const RunCardValues& values) {
    if (values == values_ && !button_->text().isEmpty())
        return;
    values_ = values;
    name_->setText(values.name.isEmpty() ? tr("new run") : values.name);
    fillLines(lines_, values.lines);
    fillLines(differences_, values.differences);
    differences_title_->setVisible(!values.differences.empty());
    button_->setText(values.next_step.isEmpty() ? tr("Connect to an engine") : values.next_step);
    button_->setToolTip(values.next_step_tip);
    button_->setEnabled(values.can_step);
    showMemory();
}

void RunCard::showMemory() {
    memory_->setVisible(values_.memory_available.has_value());
    const bool both = values_.memory_available && values_.memory_needed;
    memory_bar_->setVisible(both);
    if (!values_.memory_available)
        return;
    const QString available = formatBytes(*values_.memory_available);
    if (!both) {
        memory_->setText(tr("memory: %1 free").arg(available));
        return;
    }
    memory_->setText(tr("memory: %1 of %2 free").arg(formatBytes(*values_.memory_needed), available));
    const double share = *values_.memory_needed / std::max(1.0, *values_.memory_available);
    memory_bar_->setRange(0, 1000);
    memory_bar_->setValue(static_cast<int>(1000 * std::min(1.0, share)));
    memory_->setToolTip(share > 1 ? tr("More than is free: the next step may fail for lack of memory.")
                                  : QString());
}

}  // namespace spd
