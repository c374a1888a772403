#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config/experiment.h"
#include "core/data/curation/corpus_filter.h"
#include "core/experiment/forecast/forecast.h"

namespace spd {

/// A run as a dry run shows it.
struct DryRun {
    std::string name;
    std::string model;
    bool is_here = false;    ///< the checkpoint is on this machine; else its shape is the one that is known
    std::string how_to_get;  ///< the command that downloads a model that is not here
    DataSizes sizes;
    CorpusFilter corpus_filter = CorpusFilter::none;  ///< what it drops is not known yet: all are counted
    std::vector<StageForecast> stages;                ///< what an earlier run does already is left out
    std::vector<StageForecast> on_other_machine;      ///< the same stages at the other machine's rates
};

/// Forecasts every run of a file without computing anything or writing anywhere. Calibrations and corpora
/// that several runs make alike are counted once.
/// @param rates, other  machines to forecast for.
/// @throws Error invalid_argument (a model that is neither here nor known), as checkProjection() and
/// countData()
std::vector<DryRun> dryRun(const ExperimentFile& file, const std::filesystem::path& workspace,
                           const MachineRates& rates, const MachineRates& other);

}  // namespace spd
