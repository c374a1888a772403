#pragma once

#include <QString>
#include <array>
#include <optional>
#include <vector>

#include "core/protocol/job.h"
#include "views/frame/run_card.h"
#include "views/frame/stage.h"

namespace spd {

/// The run that is being put together: what the pages have chosen so far. Empty texts: not chosen, not there.
struct RunDraft {
    QString name;
    QString model;  ///< as the engine takes it
    QString model_title;
    QString task = QStringLiteral("math");
    QString method = QStringLiteral("SPD");
    int calibration_examples = 50;
    QString subspace;  ///< folder that a calibration wrote
    QString layers;    ///< "11, 23"
    QString targets;   ///< "K+V"
    QString rank;      ///< "64 of 128"
    QString corpus;    ///< file
    QString adapter;   ///< folder
    QString scores;    ///< "gsm8k 38.2 [34.1, 42.5]"
    /// Settings of each page that differ from the defaults.
    std::array<std::vector<RunCardValues::Line>, kStageCount> differences;
    std::optional<double> memory_needed;     ///< bytes, by the next step
    std::optional<double> memory_available;  ///< bytes, on the engine's machine
};

/// The next missing step of the run.
struct NextStep {
    Stage page = Stage::model;
    QString words;  ///< "Choose a model"
    QString tip;
};
NextStep nextStep(const RunDraft& draft);

/// @param ready  an engine is connected; else the button connects
RunCardValues runCardOf(const RunDraft& draft, bool ready);

/// The page on which jobs of this kind are watched. @return nothing for a kind without one
std::optional<Stage> stageOfKind(const std::string& kind);

/// A job as far as the rail needs it.
struct StageJob {
    Stage stage = Stage::model;
    protocol::JobState state = protocol::JobState::queued;
    double share = 0;
    QString words;
};
/// @param jobs  the running one first, then newest first
StageMarks marksOf(const RunDraft& draft, const std::vector<StageJob>& jobs);

}  // namespace spd
