#pragma once

#include <QWidget>
#include <array>

#include "views/training/training_curves.h"

class QSlider;

namespace spd {

class Plot;

/// Loss (raw faint, smoothed strong, held-out as marks), learning rate, gradient norm and tokens per second
/// over the same steps with one cursor. GUI thread.
class TrainingPlots : public QWidget {
    Q_OBJECT

public:
    explicit TrainingPlots(QWidget* parent = nullptr);

    void clear();
    /// What a running job adds; far cheaper than drawing everything anew.
    void add(const std::vector<TrainingPoint>& points);
    const TrainingCurves& curves() const { return curves_; }

private:
    void link();
    void rebuild();
    void append(size_t first);
    double smoothing() const;

    TrainingCurves curves_;
    Plot* loss_;
    Plot* lr_;
    Plot* norm_;
    Plot* rate_;
    QSlider* smoothing_;
};

}  // namespace spd
