#pragma once

#include <QTabWidget>
#include <map>
#include <utility>
#include <vector>

#include "views/calibration/calibration_choice.h"

class QVBoxLayout;

namespace spd {

class Plot;

/// What is known of the examples as a whole: how long their spans are, what a run measured, whether they leak
/// into an evaluation. GUI thread.
class Findings : public QTabWidget {
    Q_OBJECT

public:
    explicit Findings(QWidget* parent = nullptr);

    void setSpanLengths(const std::map<int64_t, int64_t>& lengths);
    void clearMeasured();
    /// @param number  of the example, from 1
    void addMeasured(double number, double loss, double gradient_norm);
    void setLeakage(const std::vector<LeakageLine>& lines);

private:
    Plot* lengths_;
    Plot* losses_;
    Plot* norms_;
    QWidget* leakage_;
    QVBoxLayout* leakage_lines_;
};

/// Outline of a bar chart with bars of width 1: x ascending, two points a bar.
std::pair<std::vector<double>, std::vector<double>> barOutline(const std::map<int64_t, int64_t>& counts);

}  // namespace spd
