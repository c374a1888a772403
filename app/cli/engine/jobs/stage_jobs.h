#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "app/cli/engine/workplace.h"
#include "core/engine/server.h"
#include "core/pipeline/generate_corpus.h"
#include "core/pipeline/open_intervention.h"
#include "core/protocol/params.h"

namespace spd::cli {

// The jobs of an engine, one kind a file.
void addCalibrateJob(engine::Server& server, Workplace& workplace);
void addGenerateJob(engine::Server& server, Workplace& workplace);
void addTrainJob(engine::Server& server, Workplace& workplace);
void addExperimentJob(engine::Server& server, Workplace& workplace);
void addExportJob(engine::Server& server, Workplace& workplace);
void addPreviewJob(engine::Server& server, Workplace& workplace);

/// A run of the window: WORKSPACE/experiments/workbench/runs/NAME with calibration/, corpus.jsonl and
/// training/ in it.
struct RunPlace {
    std::string name;
    std::filesystem::path folder;

    std::filesystem::path calibration() const { return folder / "calibration"; }
    std::filesystem::path corpus() const { return folder / "corpus.jsonl"; }
    std::filesystem::path training() const { return folder / "training"; }
};

/// @throws Refusal invalid_params: no name for a folder
RunPlace runPlaceOf(const Workplace& workplace, const std::string& name);
/// The param "run".
RunPlace runPlaceOf(const Workplace& workplace, protocol::Params& params);

/// Makes the run's folder, does the work, and records in the database what the folder holds then, whatever
/// the work's end. @return what `work` returns
nlohmann::ordered_json workInRun(Workplace& workplace, const RunPlace& run,
                                 const std::function<nlohmann::ordered_json()>& work);

/// Does a job of a run.
using StageWork = nlohmann::ordered_json (*)(Workplace& workplace, const nlohmann::ordered_json& params,
                                             engine::JobChannel& channel, const JobContext& context);
/// A stage of a run as a resumable job. @param model_of  reads the params, refuses what is wrong, and says
/// MODEL
void addStageJob(engine::Server& server, Workplace& workplace, const char* kind,
                 std::string (*model_of)(const Workplace& workplace, const nlohmann::ordered_json& params),
                 StageWork work);

/// "subspace" (else `otherwise`), what projectionOf() reads, "adapter".
/// @throws Refusal invalid_params, also for settings of a projection without a subspace
InterventionRequest interventionOf(protocol::Params& params, const std::string& otherwise = "");

/// "greedy", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "sampling", "max_new_tokens",
/// "stop", "batch", "seed". @param method  whose preset the sampling starts from.
/// @throws Refusal invalid_params; Error as GenerationSettings::validate(), samplingStart()
GenerationSettings generationOf(protocol::Params& params, std::optional<Method> method,
                                const std::string& model, const std::filesystem::path& workspace);

/// The param "dtype", else `fallback`. @throws Refusal invalid_params
DType dtypeOf(protocol::Params& params, DType fallback);

}  // namespace spd::cli
