#include "core/pipeline/experiment/run_journal.h"

#include <fmt/format.h>

#include <chrono>

#include "core/base/error.h"
#include "core/base/run_log.h"
#include "core/base/seconds_since.h"

namespace spd {

std::vector<LineageEdge> madeFrom(const std::string& kind, const std::string& sha256) {
    if (sha256.empty())
        return {};
    return {{kind, sha256, "", ""}};
}

void makeFolders(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        throw Error(ErrorKind::io, fmt::format("{}: cannot make the folder: {}",
                                               printable(folder.native(), 1000), error.message()));
}

RunJournal::RunJournal(RunStore& store, std::filesystem::path experiment_folder, const NewRun& run,
                       OnStage on_stage)
    : store_(store),
      experiment_folder_(std::move(experiment_folder)),
      folder_(run.folder),
      name_(run.folder.filename().string()),
      on_stage_(std::move(on_stage)) {
    makeFolders(folder_ / "stages");
    id_ = store_.beginRun(run);
    log("begun");
}

FinishedStage RunJournal::stage(const StagePlan& plan, const std::function<StageWork()>& compute) {
    if (auto finished = findFinishedStage(plan.record, plan.name, plan.inputs, experiment_folder_)) {
        record(plan, *finished, StageStatus::skipped);
        log(fmt::format("{}: there already, made from the same inputs", plan.name));
        on_stage_({name_, plan.name, finished->summary.value("result", ""), finished->seconds, true});
        return *finished;
    }
    FinishedStage stage{plan.name, plan.inputs, {}, 0, {}};
    store_.beginStage(id_, plan.name, stage.inputsSha256());
    log(fmt::format("{}: begun", plan.name));
    const auto start = std::chrono::steady_clock::now();
    StageWork work = compute();
    stage.seconds = secondsSince(start);
    for (const std::string& output : work.outputs)
        stage.outputs.push_back(describeOutput(experiment_folder_, output));
    stage.summary = std::move(work.summary);
    stage.summary["result"] = work.result;
    writeFinishedStage(plan.record, stage);
    record(plan, stage, StageStatus::finished);
    log(fmt::format("{}: {} ({:.1f} s)", plan.name, work.result, stage.seconds));
    on_stage_({name_, plan.name, work.result, stage.seconds, false});
    return stage;
}

void RunJournal::record(const StagePlan& plan, const FinishedStage& stage, StageStatus status) {
    std::vector<Artifact> artifacts;
    for (const StageOutput& output : stage.outputs)
        artifacts.push_back({plan.artifact, experiment_folder_ / output.path, output.sha256, output.bytes});
    store_.addArtifacts(id_, artifacts);
    const std::string& main_sha256 = stage.sha256Of(plan.main_output);
    std::vector<LineageEdge> edges = plan.made_from;
    for (LineageEdge& edge : edges) {
        edge.to_kind = plan.artifact;
        edge.to_sha256 = main_sha256;
    }
    store_.addLineage(id_, edges);
    if (status == StageStatus::skipped)
        store_.beginStage(id_, plan.name, stage.inputsSha256());
    RecordedStage row;
    row.name = plan.name;
    row.status = status;
    row.input_sha256 = stage.inputsSha256();
    row.output_sha256 = main_sha256;
    row.seconds = stage.seconds;
    store_.finishStage(id_, row);
}

void RunJournal::log(const std::string& line) {
    appendToRunLog(folder_ / "log.txt", line);
}

void RunJournal::setParams(const std::vector<std::pair<std::string, std::string>>& settings) {
    std::vector<KeyValue> params;
    for (const auto& [key, value] : settings)
        params.push_back({key, value});
    store_.setParams(id_, params);
}

void RunJournal::addMetrics(const std::vector<Metric>& metrics) {
    store_.logMetrics(id_, metrics);
}

void RunJournal::addExamples(const std::vector<EvalExample>& examples) {
    store_.addEvalExamples(id_, examples);
}

void RunJournal::end(RunStatus status, const std::string& error) {
    log(error.empty() ? fmt::format("{}", spd::name(status))
                      : fmt::format("{}: {}", spd::name(status), error));
    store_.endRun(id_, status, error);
}

}  // namespace spd
