#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/config/experiment.h"
#include "core/evaluate/results.h"

namespace spd {

struct ExperimentRequest {
    std::filesystem::path file;  ///< experiment file
    std::filesystem::path workspace;
    int threads = 1;      ///< training and calibration round by it: the same number for the same bytes
    bool resume = false;  ///< only go on: refuse to begin
    std::string program_version;  ///< goes into the records of training
};

/// One stage of one run, for the table at the end.
struct StageOutcome {
    std::string run;
    std::string stage;
    std::string result;    ///< in words
    double seconds = 0;    ///< of computing; when it was skipped, of the time that it was computed
    bool skipped = false;  ///< its outputs were there, made from the same inputs
};

struct RunOutcome {
    std::string id;  ///< in the database
    std::string name;
    Method method = Method::base;
    std::filesystem::path folder;
    std::filesystem::path adapter;  ///< empty where none was trained
    double first_loss = 0;          ///< mean of the first epoch's steps; 0 without training
    double last_loss = 0;           ///< of the last epoch's
    std::vector<EvalResult> results;
    std::string error;  ///< why it failed; empty
};

struct ExperimentOutcome {
    std::string id;
    std::filesystem::path folder;
    std::vector<StageOutcome> stages;
    std::vector<RunOutcome> runs;
    std::vector<std::string> notices;  ///< of the database, a line each
};

/// Does every run of an experiment file (paper, Algorithm 1): calibrate, generate, train, evaluate, record.
/// Stages whose outputs are there, made from the same inputs, are skipped; what a stopped stage has done is
/// gone on from. Artifacts lie in WORKSPACE/experiments/ID, what runs share in its shared/; each artifact is
/// written, then its record, then its rows in the database. A run that fails is recorded, and the next
/// begins.
///
/// Before anything is computed all files that the runs need are opened and checked.
/// @param on_stage  called when a stage has ended.
/// @throws Error invalid_argument (the file, with a line for each problem; another process runs the same
/// experiment; `resume` with nothing to resume), not_found, file_format, unsupported_model; Cancelled, when
/// what is done is kept and the run is recorded as KILLED
ExperimentOutcome runExperiment(const ExperimentRequest& request, const JobContext& context,
                                const std::function<void(const StageOutcome&)>& on_stage);

}  // namespace spd
