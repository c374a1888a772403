#include "views/training/training_plots.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QSlider>
#include <cmath>

#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

using Value = double TrainingPoint::*;

void take(const std::vector<TrainingPoint>& points, size_t first, Value value, std::vector<double>& x,
          std::vector<double>& y) {
    for (size_t i = first; i < points.size(); ++i) {
        x.push_back(static_cast<double>(points[i].step));
        y.push_back(points[i].*value);
    }
}

Curve curveOf(const std::vector<TrainingPoint>& points, Value value, const QString& name) {
    Curve curve{.name = name, .x = {}, .y = {}};
    take(points, 0, value, curve.x, curve.y);
    return curve;
}

Curve heldOutCurve(const std::vector<TrainingPoint>& points) {
    Curve curve{.name = TrainingPlots::tr("held-out"), .x = {}, .y = {}, .role = Role::base, .points = true};
    for (const TrainingPoint& point : points)
        if (point.held_out_nll) {
            curve.x.push_back(static_cast<double>(point.step));
            curve.y.push_back(*point.held_out_nll);
        }
    return curve;
}

}  // namespace

TrainingPlots::TrainingPlots(QWidget* parent)
    : QWidget(parent),
      loss_(new Plot(tr("Loss"))),
      lr_(new Plot(tr("Learning rate"))),
      norm_(new Plot(tr("Gradient norm"))),
      rate_(new Plot(tr("Tokens/s"))),
      smoothing_(new QSlider(Qt::Horizontal)) {
    loss_->setAxes(tr("step"), tr("nats a token"));
    lr_->setAxes(tr("step"), tr("learning rate"));
    norm_->setAxes(tr("step"), tr("norm before clipping"));
    rate_->setAxes(tr("step"), tr("tokens/s"));
    lr_->hideLogarithmSwitch();
    rate_->hideLogarithmSwitch();
    for (Plot* plot : {loss_, lr_, norm_, rate_})
        plot->setWholeX();
    smoothing_->setRange(0, 99);
    smoothing_->setValue(80);
    smoothing_->setMaximumWidth(96);
    smoothing_->setToolTip(
        tr("Smoothing: weight of what came before, 0 to 0.99. Default 0.8. The raw loss stays faint"));
    smoothing_->setAccessibleName(tr("Smoothing"));
    loss_->tools()->addWidget(new QLabel(tr("smoothing")));
    loss_->tools()->addWidget(smoothing_);
    connect(smoothing_, &QSlider::valueChanged, this, &TrainingPlots::rebuild);
    auto* layout = new QGridLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(loss_, 0, 0, 1, 3);
    layout->addWidget(lr_, 1, 0);
    layout->addWidget(norm_, 1, 1);
    layout->addWidget(rate_, 1, 2);
    layout->setRowStretch(0, 3);
    layout->setRowStretch(1, 2);
    link();
    rebuild();
}

void TrainingPlots::link() {
    const std::array plots = {loss_, lr_, norm_, rate_};
    for (Plot* one : plots)
        for (Plot* other : plots) {
            if (one == other)
                continue;
            connect(one, &Plot::rangeChanged, other, &Plot::setRange);
            connect(one, &Plot::pointerMoved, other, [other](double x) { other->showPointerAt(x); });
            connect(one, &Plot::pointerLeft, other, [other] { other->showPointerAt({}); });
        }
}

double TrainingPlots::smoothing() const {
    return smoothing_->value() / 100.0;
}

void TrainingPlots::clear() {
    curves_.clear();
    rebuild();
}

void TrainingPlots::add(const std::vector<TrainingPoint>& points) {
    const size_t first = curves_.points().size();
    bool continues = true;
    bool held_out = false;
    for (const TrainingPoint& point : points) {
        continues = curves_.add(point) && continues;
        held_out = held_out || point.held_out_nll.has_value();
    }
    if (continues && !held_out && first > 0)
        append(first);
    else
        rebuild();
}

void TrainingPlots::append(size_t first) {
    const std::vector<double> smoothed = curves_.smoothedLoss(smoothing());
    const auto add = [&](Plot* plot, Value value) {
        std::vector<double> x, y;
        take(curves_.points(), first, value, x, y);
        plot->append(0, x, y);
        return x;
    };
    const std::vector<double> x = add(loss_, &TrainingPoint::loss);
    loss_->append(1, x, {smoothed.begin() + static_cast<std::ptrdiff_t>(first), smoothed.end()});
    add(lr_, &TrainingPoint::lr);
    add(norm_, &TrainingPoint::grad_norm);
    add(rate_, &TrainingPoint::tokens_per_second);
}

void TrainingPlots::rebuild() {
    const std::vector<TrainingPoint>& points = curves_.points();
    Curve raw = curveOf(points, &TrainingPoint::loss, tr("raw"));
    raw.shade = 0.65;
    raw.width = 1;
    Curve smooth = raw;
    smooth.name = tr("smoothed");
    smooth.y = curves_.smoothedLoss(smoothing());
    smooth.shade = 0;
    smooth.width = 2.2;
    std::vector<Curve> losses = {raw, smooth};
    if (Curve held_out = heldOutCurve(points); !held_out.x.empty())
        losses.push_back(std::move(held_out));
    loss_->setCurves(std::move(losses));
    lr_->setCurves({curveOf(points, &TrainingPoint::lr, tr("learning rate"))});
    norm_->setCurves({curveOf(points, &TrainingPoint::grad_norm, tr("gradient norm"))});
    rate_->setCurves({curveOf(points, &TrainingPoint::tokens_per_second, tr("tokens/s"))});
}

}  // namespace spd
