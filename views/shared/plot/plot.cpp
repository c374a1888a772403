#include "views/shared/plot/plot.h"

#include <qcustomplot.h>

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QStackedWidget>
#include <QTableView>
#include <QToolButton>
#include <cmath>
#include <limits>

#include "views/shared/plot/decimation.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

QCPScatterStyle markOf(Role role) {
    switch (role) {
        case Role::base:
            return {QCPScatterStyle::ssCircle, 6};
        case Role::spd:
            return {QCPScatterStyle::ssDiamond, 7};
        case Role::psr:
            return {QCPScatterStyle::ssSquare, 6};
        case Role::ssd:
            return {QCPScatterStyle::ssTriangle, 7};
        case Role::control:
            break;
    }
    return {QCPScatterStyle::ssCross, 6};
}

QVector<QCPGraphData> graphData(const std::vector<PlotPoint>& points, bool log_y) {
    QVector<QCPGraphData> data;
    data.reserve(static_cast<qsizetype>(points.size()));
    for (const PlotPoint& point : points)
        data.append({point.x, log_y && !(point.y > 0) ? std::numeric_limits<double>::quiet_NaN() : point.y});
    return data;
}

/// Of finite values, positive ones only where `log`; with a margin. (0, 1) when there are none.
class Extent {
public:
    explicit Extent(bool log) : log_(log) {}

    void add(double value) {
        if (!std::isfinite(value) || (log_ && value <= 0))
            return;
        low_ = std::min(low_, value);
        high_ = std::max(high_, value);
    }

    QCPRange range(double margin) const {
        if (low_ > high_)
            return log_ ? QCPRange(0.1, 1) : QCPRange(0, 1);
        if (log_) {
            const double factor = std::max(1.05, std::pow(high_ / low_, margin));
            return {low_ / factor, high_ * factor};
        }
        const double pad = high_ > low_ ? margin * (high_ - low_) : std::max(0.5, 0.05 * std::abs(high_));
        return {low_ - pad, high_ + pad};
    }

private:
    bool log_;
    double low_ = std::numeric_limits<double>::infinity();
    double high_ = -std::numeric_limits<double>::infinity();
};

QCPItemStraightLine* verticalLine(QCustomPlot* plot, Qt::PenStyle style) {
    auto* line = new QCPItemStraightLine(plot);
    line->setPen(QPen(Qt::gray, 1, style));
    line->setVisible(false);
    return line;
}

}  // namespace

Plot::Plot(const QString& title, QWidget* parent)
    : QWidget(parent), title_(title), stack_(new QStackedWidget), plot_(new QCustomPlot) {
    setAccessibleName(title);
    plot_->setMinimumSize(140, 100);
    plot_->setFocusPolicy(Qt::StrongFocus);
    plot_->legend->setVisible(false);
    plot_->setPlottingHint(QCP::phFastPolylines);  // a dense line as one thick path takes Qt seconds
    plot_->axisRect()->setupFullAxesBox();
    plot_->axisRect()->setMinimumMargins(QMargins(8, 8, 12, 4));
    plot_->addLayer(QStringLiteral("lines"));
    overlay_ = plot_->layer(QStringLiteral("lines"));
    overlay_->setMode(QCPLayer::lmBuffered);
    pointer_line_ = verticalLine(plot_, Qt::SolidLine);
    mark_line_ = verticalLine(plot_, Qt::DashLine);
    mark_label_ = new QCPItemText(plot_);
    mark_label_->setVisible(false);
    for (QCPLayerable* item : std::initializer_list<QCPLayerable*>{pointer_line_, mark_line_, mark_label_})
        item->setLayer(overlay_);
    mark_label_->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
    mark_label_->position->setTypeX(QCPItemPosition::ptPlotCoords);
    mark_label_->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    values_ = new QLabel(plot_);
    values_->setAttribute(Qt::WA_TransparentForMouseEvents);
    values_->setAutoFillBackground(true);
    values_->setBackgroundRole(QPalette::ToolTipBase);
    values_->setMargin(kGrid / 2);
    values_->hide();

    auto* view = new QTableView;
    view->setModel(&table_);
    view->setAlternatingRowColors(true);
    stack_->addWidget(plot_);
    stack_->addWidget(view);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    layout->addWidget(makeToolRow(title));
    layout->addWidget(stack_, 1);
    makeInteractions();
    applyPalette();
}

Plot::~Plot() = default;

void Plot::makeInteractions() {
    plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    plot_->installEventFilter(this);
    connect(plot_, &QCustomPlot::mouseMove, this,
            [this](QMouseEvent* event) { onMouseMove(event->position()); });
    connect(plot_, &QCustomPlot::mouseWheel, this, [this](QWheelEvent* event) {
        const bool only_x = event->modifiers().testFlag(Qt::ShiftModifier);
        const bool only_y = event->modifiers().testFlag(Qt::ControlModifier);
        plot_->axisRect()->setRangeZoom(only_x   ? Qt::Horizontal
                                        : only_y ? Qt::Vertical
                                                 : Qt::Horizontal | Qt::Vertical);
        zoomed_ = true;
    });
    connect(plot_, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
        press_ = event->position();
        if (event->button() == Qt::LeftButton)
            pressMark(press_);
    });
    connect(plot_, &QCustomPlot::mouseRelease, this, [this](QMouseEvent* event) {
        if (releaseMark())
            return;
        const bool dragged = (event->position() - press_).manhattanLength() >= 4;
        if (dragged)
            zoomed_ = true;
        else if (event->button() == Qt::LeftButton)
            Q_EMIT clicked(plot_->xAxis->pixelToCoord(event->position().x()));
    });
    connect(plot_, &QCustomPlot::mouseDoubleClick, this, &Plot::showEverything);
    connect(plot_->xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this,
            [this](const QCPRange& range) {
                refillSoon();
                if (zoomed_)
                    Q_EMIT rangeChanged(range.lower, range.upper);
            });
}

void Plot::setAxes(const QString& x_label, const QString& y_label) {
    plot_->xAxis->setLabel(x_label);
    plot_->yAxis->setLabel(y_label);
    table_.setCurves(&curves_, x_label, y_label);
    refillSoon();
}

void Plot::setWholeX() {
    auto ticker = QSharedPointer<QCPAxisTickerFixed>::create();
    ticker->setTickStep(1);
    ticker->setScaleStrategy(QCPAxisTickerFixed::ssMultiples);
    plot_->xAxis->setTicker(ticker);
    spaceMarks();
}

/// As many marks as have room for their numbers.
void Plot::spaceMarks() {
    const int room = std::max(2, plot_->axisRect()->width() / (6 * fontMetrics().horizontalAdvance(u'0')));
    plot_->xAxis->ticker()->setTickCount(std::min(room, 6));
}

void Plot::setCurves(std::vector<Curve> curves) {
    curves_ = std::move(curves);
    rebuildGraphs();
    if (!zoomed_)
        rescale();
    table_.setCurves(&curves_, plot_->xAxis->label(), plot_->yAxis->label());
    refillSoon();
}

void Plot::append(size_t curve, const std::vector<double>& x, const std::vector<double>& y) {
    Curve& target = curves_.at(curve);
    const size_t count = std::min(x.size(), y.size());
    target.x.insert(target.x.end(), x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count));
    target.y.insert(target.y.end(), y.begin(), y.begin() + static_cast<std::ptrdiff_t>(count));
    if (stack_->currentIndex() == 1)
        table_.setCurves(&curves_, plot_->xAxis->label(), plot_->yAxis->label());
    if (!zoomed_)
        rescale();
    refillSoon();
}

void Plot::rebuildGraphs() {
    plot_->clearGraphs();
    int named = 0;
    for (const Curve& curve : curves_) {
        QCPGraph* graph = plot_->addGraph();
        graph->setName(curve.legend.isEmpty() ? curve.name : curve.legend);
        graph->setPen(curvePen(curve, palette()));
        graph->setAdaptiveSampling(false);  // what it gets is thinned already
        if (curve.points)
            graph->setScatterStyle(markOf(curve.role));
        if (curve.in_legend && !curve.name.isEmpty())
            ++named;
        else
            graph->removeFromLegend();
    }
    plot_->legend->setVisible(named > 1);
}

void Plot::refillSoon() {
    if (std::exchange(refill_waits_, true))
        return;
    QMetaObject::invokeMethod(this, &Plot::refill, Qt::QueuedConnection);
}

void Plot::refill() {
    refill_waits_ = false;
    spaceMarks();
    const QCPRange range = plot_->xAxis->range();
    const double columns = plot_->axisRect()->width() * devicePixelRatioF();
    for (size_t i = 0; i < curves_.size(); ++i) {
        const auto points = decimate(curves_[i].x, curves_[i].y, range.lower, range.upper,
                                     static_cast<size_t>(std::max(columns, 1.0)));
        plot_->graph(static_cast<int>(i))->data()->set(graphData(points, log_y_), true);
    }
    plot_->replot(QCustomPlot::rpQueuedReplot);
}

void Plot::rescale() {
    Extent x(false), y(log_y_);
    for (const Curve& curve : curves_) {
        if (!curve.x.empty())
            x.add(curve.x.front()), x.add(curve.x.back());
        for (const double value : curve.y)
            y.add(value);
    }
    plot_->xAxis->setRange(x.range(0.02));
    if (value_range_)
        plot_->yAxis->setRange(value_range_->first, value_range_->second);
    else
        plot_->yAxis->setRange(y.range(0.06));
}

void Plot::setLogarithmic(bool on) {
    log_y_ = on;
    log_button_->setChecked(on);
    plot_->yAxis->setScaleType(on ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    plot_->yAxis->setTicker(on ? QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog)
                               : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
    plot_->yAxis->setNumberFormat(on ? QStringLiteral("eb") : QStringLiteral("gb"));
    plot_->yAxis->setNumberPrecision(on ? 0 : 5);
    showEverything();
}

void Plot::hideLogarithmSwitch() {
    log_button_->hide();
}

void Plot::setValueRange(double low, double high) {
    value_range_ = {low, high};
    showEverything();
}

void Plot::showEverything() {
    zoomed_ = false;
    rescale();
    Q_EMIT rangeChanged(plot_->xAxis->range().lower, plot_->xAxis->range().upper);
    refillSoon();
}

void Plot::setRange(double from, double to) {
    const QCPRange shown = plot_->xAxis->range();
    if (shown.lower == from && shown.upper == to)
        return;
    const bool zoomed = std::exchange(zoomed_, false);  // a linked plot does not answer
    plot_->xAxis->setRange(from, to);
    zoomed_ = zoomed;
    refillSoon();
}

}  // namespace spd
