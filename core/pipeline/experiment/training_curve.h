#pragma once

#include <filesystem>
#include <vector>

#include "core/store/run_records.h"

namespace spd {

/// training_log.jsonl as the database keeps it.
struct TrainingCurve {
    std::vector<Metric>
        metrics;            ///< as store::readTrainingLog(): train/loss, train/held_out_nll, ... by step
    double first_loss = 0;  ///< mean loss of the first epoch's steps, each by its tokens
    double last_loss = 0;   ///< of the last epoch's
};

/// @throws Error file_format (a line without loss, tokens or epoch too), not_found, io
TrainingCurve readTrainingCurve(const std::filesystem::path& log);

}  // namespace spd
