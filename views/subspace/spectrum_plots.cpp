#include "views/subspace/spectrum_plots.h"

#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"
#include "views/subspace/targets_model.h"

namespace spd {

namespace {

std::vector<double> indices(size_t count) {
    std::vector<double> x(count);
    std::iota(x.begin(), x.end(), 1.0);
    return x;
}

std::vector<double> chanceLevels(size_t count) {
    std::vector<double> y = indices(count);
    for (double& value : y)
        value /= static_cast<double>(count);
    return y;
}

}  // namespace

SpectrumPlots::SpectrumPlots(QWidget* parent)
    : QWidget(parent),
      values_(new Plot(tr("Singular values"))),
      shares_(new Plot(tr("Kept energy, split-half overlap"))) {
    values_->setAxes(tr("direction r"), tr("singular value"));
    values_->setLogarithmic(true);
    shares_->setAxes(tr("direction r"), tr("share"));
    shares_->setValueRange(0, 1.02);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(values_, 3);
    layout->addWidget(shares_, 2);
    for (Plot* plot : {values_, shares_}) {
        Plot* other = plot == values_ ? shares_ : values_;
        plot->setMarkMovable(true);
        plot->setWholeX();
        connect(plot, &Plot::markMoved, this, &SpectrumPlots::onMark);
        connect(plot, &Plot::markReleased, this, &SpectrumPlots::rankReleased);
        connect(plot, &Plot::clicked, this, [this](double x) {
            onMark(x);
            Q_EMIT rankReleased();
        });
        connect(plot, &Plot::rangeChanged, other, &Plot::setRange);
        connect(plot, &Plot::pointerMoved, other, [other](double x) { other->showPointerAt(x); });
        connect(plot, &Plot::pointerLeft, other, [other] { other->showPointerAt({}); });
    }
}

void SpectrumPlots::onMark(double x) {
    if (!figures_ || figures_->size() == 0)
        return;
    const auto width = static_cast<double>(figures_->target(0).singular_values.size());
    Q_EMIT rankDragged(static_cast<int64_t>(std::clamp(std::round(x), 1.0, width)));
}

void SpectrumPlots::setFigures(std::shared_ptr<const SubspaceFigures> figures, std::vector<size_t> shown) {
    figures_ = std::move(figures);
    shown_ = std::move(shown);
    rebuild();
}

void SpectrumPlots::setControl(std::shared_ptr<const SubspaceFigures> control, const QString& name) {
    control_ = std::move(control);
    control_name_ = name;
    rebuild();
}

void SpectrumPlots::setRank(int64_t rank, const QString& text) {
    values_->setMark(static_cast<double>(rank), text);
    shares_->setMark(static_cast<double>(rank), text);
}

void SpectrumPlots::addCurves(const SubspaceFigures& figures, const std::vector<size_t>& shown,
                              bool is_control, std::vector<Curve>& values, std::vector<Curve>& shares) const {
    const Role role = is_control ? Role::control : Role::spd;
    for (size_t i = 0; i < shown.size(); ++i) {
        const protocol::TargetCurves& target = figures.target(shown[i]);
        const QString name = targetName(target, figures.curves().per_head);
        const QString shown_name = is_control ? tr("%1, %2").arg(name, control_name_) : name;
        Curve curve{
            .name = shown_name,
            .x = indices(target.singular_values.size()),
            .y = target.singular_values,
            .role = role,
            .target = target.target.stream == KvStream::k ? Target::k : Target::v,
            .shade = 0.55 * static_cast<double>(i) / static_cast<double>(std::max<size_t>(1, shown.size())),
            .in_legend = shown.size() <= 8};
        values.push_back(curve);
        curve.in_legend = i == 0;
        curve.name = tr("%1 energy").arg(shown_name);
        curve.legend = is_control ? tr("energy, %1").arg(control_name_) : tr("kept energy");
        curve.y = figures.energy(shown[i]);
        shares.push_back(curve);
        curve.name = tr("%1 overlap").arg(shown_name);
        curve.legend = is_control ? tr("overlap, %1").arg(control_name_) : tr("split-half overlap");
        curve.y = target.split_half_overlap;
        curve.role = is_control ? Role::control : Role::base;
        shares.push_back(curve);
    }
}

void SpectrumPlots::rebuild() {
    std::vector<Curve> values, shares;
    if (figures_) {
        addCurves(*figures_, shown_, /*is_control=*/false, values, shares);
        std::vector<size_t> same;
        for (size_t i = 0; control_ && i < control_->size(); ++i)
            for (const size_t mine : shown_)
                if (control_->target(i).target == figures_->target(mine).target &&
                    control_->target(i).head == figures_->target(mine).head)
                    same.push_back(i);
        if (control_)
            addCurves(*control_, same, /*is_control=*/true, values, shares);
        if (!shown_.empty()) {
            const size_t width = figures_->target(shown_.front()).singular_values.size();
            shares.push_back({.name = tr("chance r / d"),
                              .x = indices(width),
                              .y = chanceLevels(width),
                              .role = Role::control,
                              .target = Target::k,
                              .width = 1});
        }
    }
    values_->setCurves(std::move(values));
    shares_->setCurves(std::move(shares));
}

}  // namespace spd
