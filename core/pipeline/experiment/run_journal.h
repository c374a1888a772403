#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/experiment/finished_stage.h"
#include "core/pipeline/run_experiment.h"
#include "core/store/run_store.h"

namespace spd {

/// What a stage hands back when it has computed.
struct StageWork {
    std::vector<std::string> outputs;  ///< files, from the experiment's folder
    nlohmann::ordered_json summary = nlohmann::ordered_json::object();
    std::string result;  ///< in words, for the table
};

/// A stage as the journal runs it.
struct StagePlan {
    std::string name;              ///< "train"
    std::string artifact;          ///< kind of its outputs: "adapter"
    std::filesystem::path record;  ///< where its FinishedStage lies
    nlohmann::ordered_json inputs;
    std::vector<LineageEdge> made_from;  ///< with empty to_*: filled in
    std::string main_output;             ///< file name of the output whose hash stands for all
};

/// The edge to what a stage makes, from an artifact of this kind and hash; none where the hash is empty.
std::vector<LineageEdge> madeFrom(const std::string& kind, const std::string& sha256);

/// Makes the folder and those above it. @throws Error io
void makeFolders(const std::filesystem::path& folder);

/// Keeps the books of one run: what is finished and may be skipped, the run's log, its rows in the database.
/// The order is always: outputs, then their record, then the rows, so that a kill at any moment leaves at
/// worst a record without rows, which the next start writes. For one thread.
class RunJournal {
public:
    using OnStage = std::function<void(const StageOutcome&)>;

    /// Begins the run in the database. @throws Error as RunStore::beginRun()
    RunJournal(RunStore& store, std::filesystem::path experiment_folder, const NewRun& run, OnStage on_stage);

    /// Skips the stage when its record stands, else has it computed and records it.
    FinishedStage stage(const StagePlan& plan, const std::function<StageWork()>& compute);

    /// Appends a line with the time to RUN/log.txt.
    void log(const std::string& line);
    void setParams(const std::vector<std::pair<std::string, std::string>>& settings);
    void addMetrics(const std::vector<Metric>& metrics);
    void addExamples(const std::vector<EvalExample>& examples);
    void end(RunStatus status, const std::string& error = "");

    const std::string& id() const { return id_; }
    const std::string& name() const { return name_; }
    const std::filesystem::path& folder() const { return folder_; }
    const std::filesystem::path& experimentFolder() const { return experiment_folder_; }

private:
    void record(const StagePlan& plan, const FinishedStage& stage, StageStatus status);

    RunStore& store_;
    std::filesystem::path experiment_folder_;
    std::filesystem::path folder_;
    std::string name_;
    std::string id_;
    OnStage on_stage_;
};

}  // namespace spd
