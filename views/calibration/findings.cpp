#include "views/calibration/findings.h"

#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

#include "views/shared/icons.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"

namespace spd {

std::pair<std::vector<double>, std::vector<double>> barOutline(const std::map<int64_t, int64_t>& counts) {
    std::vector<double> x, y;
    const auto add = [&](double at, double count) {
        x.push_back(at);
        y.push_back(count);
    };
    double end = 0;
    for (const auto& [value, count] : counts) {
        const double middle = static_cast<double>(value);
        if (x.empty() || middle - 0.5 > end) {  // the ground between bars
            if (!x.empty())
                add(end, 0);
            add(middle - 0.5, 0);
        }
        add(middle - 0.5, static_cast<double>(count));
        add(middle + 0.5, static_cast<double>(count));
        end = middle + 0.5;
    }
    if (!x.empty())
        add(end, 0);
    return {std::move(x), std::move(y)};
}

Findings::Findings(QWidget* parent)
    : QTabWidget(parent),
      lengths_(new Plot(tr("Examples by |S|"))),
      losses_(new Plot(tr("Loss"))),
      norms_(new Plot(tr("Gradient norm"))),
      leakage_(new QWidget),
      leakage_lines_(new QVBoxLayout(leakage_)) {
    setDocumentMode(true);
    lengths_->setAxes(tr("|S|, tokens"), tr("examples"));
    losses_->setAxes(tr("example"), tr("nats"));
    norms_->setAxes(tr("example"), tr("norm"));
    auto* measured = new QWidget;
    auto* both = new QHBoxLayout(measured);
    both->setContentsMargins(0, 0, 0, 0);
    both->addWidget(losses_);
    both->addWidget(norms_);
    auto* scrolled = new QScrollArea;
    scrolled->setWidget(leakage_);
    scrolled->setWidgetResizable(true);
    scrolled->setFrameShape(QFrame::NoFrame);
    leakage_lines_->setContentsMargins(0, kGrid, 0, 0);
    addTab(lengths_, tr("Span lengths"));
    addTab(measured, tr("Loss and gradient"));
    addTab(scrolled, tr("Leakage"));
    setTabToolTip(1, tr("As a run measures the examples, in its order"));
    setTabToolTip(2, tr("Whether an example is also asked in an evaluation: a run is refused then"));
    clearMeasured();
    setLeakage({});
}

void Findings::setSpanLengths(const std::map<int64_t, int64_t>& lengths) {
    auto [x, y] = barOutline(lengths);
    lengths_->setCurves({{.name = tr("examples"),
                          .x = std::move(x),
                          .y = std::move(y),
                          .role = Role::spd,
                          .in_legend = false}});
}

void Findings::clearMeasured() {
    losses_->setCurves(
        {{.name = tr("loss"), .x = {}, .y = {}, .role = Role::spd, .points = true, .in_legend = false}});
    norms_->setCurves({{.name = tr("gradient norm"),
                        .x = {},
                        .y = {},
                        .role = Role::spd,
                        .points = true,
                        .in_legend = false}});
}

void Findings::addMeasured(double number, double loss, double gradient_norm) {
    losses_->append(0, {number}, {loss});
    norms_->append(0, {number}, {gradient_norm});
}

void Findings::setLeakage(const std::vector<LeakageLine>& lines) {
    while (QLayoutItem* item = leakage_lines_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    bool bad = false;
    for (const LeakageLine& line : lines) {
        bad = bad || line.bad;
        if (line.bad) {
            auto* notice = new NoticeLine;
            notice->say(line.text, line.details);
            leakage_lines_->addWidget(notice);
        } else {
            auto* label = new QLabel(line.text);
            label->setWordWrap(true);
            label->setTextInteractionFlags(Qt::TextSelectableByMouse);
            leakage_lines_->addWidget(label);
        }
    }
    if (lines.empty())
        leakage_lines_->addWidget(new QLabel(
            tr("Nothing is checked for a file of one's own; for a task it is as soon as its examples "
               "are shown.")));
    leakage_lines_->addStretch();
    setTabIcon(2, bad ? icon(QStringLiteral("warning")) : QIcon());
}

}  // namespace spd
