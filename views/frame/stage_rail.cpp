#include "views/frame/stage_rail.h"

#include <QAbstractButton>
#include <QKeyEvent>
#include <QPainter>
#include <QPainterPath>
#include <QVBoxLayout>

#include "views/shared/icons.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kHeight = 5 * kGrid;
constexpr int kIcon = 20;
constexpr int kMark = 14;

void drawTick(QPainter& painter, const QRectF& box) {
    QPainterPath path;
    path.moveTo(box.left() + 0.15 * box.width(), box.top() + 0.55 * box.height());
    path.lineTo(box.left() + 0.42 * box.width(), box.top() + 0.82 * box.height());
    path.lineTo(box.left() + 0.88 * box.width(), box.top() + 0.22 * box.height());
    painter.drawPath(path);
}

void drawWarning(QPainter& painter, const QRectF& box) {
    QPainterPath path;
    path.moveTo(box.center().x(), box.top());
    path.lineTo(box.bottomRight());
    path.lineTo(box.bottomLeft());
    path.closeSubpath();
    painter.drawPath(path);
    const double x = box.center().x();
    painter.drawLine(QPointF(x, box.top() + 0.38 * box.height()),
                     QPointF(x, box.top() + 0.66 * box.height()));
    painter.drawPoint(QPointF(x, box.top() + 0.84 * box.height()));
}

void drawMark(QPainter& painter, const QRectF& box, const StageMark& mark, const QPalette& palette) {
    const auto pen = [&](Status status, double width) {
        painter.setPen(QPen(statusColor(status, palette), width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    };
    switch (mark.kind) {
        case StageMark::Kind::nothing:
            painter.setPen(QPen(palette.color(QPalette::Mid), 1.4));
            painter.drawEllipse(box);
            break;
        case StageMark::Kind::running:
            painter.setPen(QPen(ruleColor(palette), 3));
            painter.drawEllipse(box);
            pen(Status::running, 3);
            painter.drawArc(box, 90 * 16, -static_cast<int>(360 * 16 * std::max(mark.share, 0.03)));
            break;
        case StageMark::Kind::done:
            pen(Status::done, 2);
            drawTick(painter, box);
            break;
        case StageMark::Kind::warning:
            pen(Status::warning, 1.6);
            drawWarning(painter, box);
            break;
    }
}

}  // namespace

/// One line of the rail.
class StageButton : public QAbstractButton {
public:
    explicit StageButton(Stage stage) : icon_(spd::icon(stageName(stage))) {
        setText(stageTitle(stage));
        setCheckable(true);
        setAutoExclusive(true);
        setFocusPolicy(Qt::StrongFocus);
        setAttribute(Qt::WA_Hover);
        number_ = static_cast<int>(stage) + 1;
        purpose_ = stagePurpose(stage);
        setMark({});
    }

    void setMark(const StageMark& mark) {
        mark_ = mark;
        const QString words = mark.words.isEmpty() ? purpose_ : purpose_ + u'\n' + mark.words;
        setToolTip(QStringLiteral("%1 (Alt+%2)").arg(words).arg(number_));
        setAccessibleName(text());
        setAccessibleDescription(words);
        update();
    }
    const StageMark& mark() const { return mark_; }

    QSize sizeHint() const override {
        return {kInner + kIcon + kGrid + fontMetrics().horizontalAdvance(text()) + 2 * kInner + kMark,
                kHeight};
    }

private:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const QRect line = rect();
        if (isChecked() || underMouse()) {
            QColor ground = accentColor(palette());
            ground.setAlphaF(isChecked() ? 0.16F : 0.07F);
            painter.fillRect(line, ground);
        }
        if (isChecked())
            painter.fillRect(0, 0, 3, height(), accentColor(palette()));
        const int middle = height() / 2;
        icon_.paint(&painter, QRect(kInner, middle - kIcon / 2, kIcon, kIcon));
        QFont face = font();
        face.setWeight(isChecked() ? QFont::DemiBold : QFont::Normal);
        painter.setFont(face);
        painter.setPen(palette().color(QPalette::WindowText));
        painter.drawText(line.adjusted(kInner + kIcon + kGrid, 0, -kMark - kInner, 0),
                         Qt::AlignVCenter | Qt::AlignLeft, text());
        painter.setBrush(Qt::NoBrush);
        drawMark(painter, QRectF(width() - kInner - kMark, middle - kMark / 2.0, kMark, kMark), mark_,
                 palette());
        if (hasFocus()) {
            painter.setPen(QPen(accentColor(palette()), 1, Qt::DotLine));
            painter.drawRect(QRectF(line).adjusted(4.5, 1.5, -1.5, -1.5));
        }
    }

    QIcon icon_;
    StageMark mark_;
    QString purpose_;
    int number_;
};

StageRail::StageRail(QWidget* parent) : QWidget(parent) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, kGrid, 0, kGrid);
    layout->setSpacing(0);
    for (int i = 0; i < kStageCount; ++i) {
        const auto stage = static_cast<Stage>(i);
        auto* button = new StageButton(stage);
        button->installEventFilter(this);
        connect(button, &QAbstractButton::clicked, this, [this, stage] { Q_EMIT picked(stage); });
        layout->addWidget(button);
        buttons_[static_cast<size_t>(i)] = button;
    }
    layout->addStretch();
    setCurrent(Stage::model);
}

void StageRail::setCurrent(Stage stage) {
    current_ = stage;
    buttons_[static_cast<size_t>(stage)]->setChecked(true);
}

void StageRail::setMarks(const StageMarks& marks) {
    for (size_t i = 0; i < marks.size(); ++i)
        if (!(buttons_[i]->mark() == marks[i]))
            buttons_[i]->setMark(marks[i]);
}

QSize StageRail::sizeHint() const {
    return {std::max(168, layout()->sizeHint().width()), 8 * kHeight};
}

void StageRail::step(int by) {
    const int next = std::clamp(static_cast<int>(current_) + by, 0, kStageCount - 1);
    buttons_[static_cast<size_t>(next)]->setFocus();
    Q_EMIT picked(static_cast<Stage>(next));
}

bool StageRail::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Up || key == Qt::Key_Down) {
            step(key == Qt::Key_Up ? -1 : 1);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace spd
