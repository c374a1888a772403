#pragma once

#include <QString>
#include <array>

#include "views/shared/colors.h"

namespace spd {

/// The pages, in the order of the work.
enum class Stage { model, calibration, subspace, preview, corpus, training, evaluation, runs };
inline constexpr int kStageCount = 8;

/// What the rail shows of a stage.
struct StageMark {
    enum class Kind {
        nothing,  ///< an empty circle: nothing yet
        running,  ///< a ring that fills
        done,     ///< a tick
        warning,  ///< look here
    };
    Kind kind = Kind::nothing;
    double share = 0;  ///< of the ring, when running; 0: unknown
    QString words;     ///< for the tooltip and screen readers

    bool operator==(const StageMark&) const = default;
};
using StageMarks = std::array<StageMark, kStageCount>;

/// "Calibration"
QString stageTitle(Stage stage);
/// "calibration": of icons, settings and folders.
QString stageName(Stage stage);
/// What the page is for, in one line.
QString stagePurpose(Stage stage);

}  // namespace spd
