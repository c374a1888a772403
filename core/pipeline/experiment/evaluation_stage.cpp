#include "core/pipeline/experiment/evaluation_stage.h"

#include <fmt/format.h>

#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/experiment/forecast/forecast.h"
#include "core/pipeline/evaluate.h"
#include "core/store/run_lines.h"

namespace spd {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

EvaluateRequest requestOf(const RunContext& context, size_t index, const MadeArtifacts& made) {
    const Experiment& experiment = context.run.experiment;
    const Experiment::Evaluation& evaluation = experiment.evaluate[index];
    EvaluateRequest request;
    request.questions = context.inputs.questions[index];
    request.dtype = *parseDType(experiment.model.dtype);
    request.settings.max_new_tokens = longestAnswer(evaluation);
    request.settings.batch = static_cast<int>(experiment.generation.batch);
    request.settings.seed = static_cast<uint64_t>(experiment.seed);
    request.overwrite = true;  // answers of another adapter are of no use
    if (evaluation.policy == "generating") {
        request.settings.sampling = samplingOfRun(context.run);
        request.chat = experiment.generation.chat;
        if (context.run.needsSubspace())
            request.intervention = {made.subspace, projectionSettingsOf(experiment.projection), {}};
    } else {
        request.settings.sampling.greedy = true;
        request.intervention.adapter = made.adapter;
    }
    return request;
}

/// What the database keeps of an evaluation: from the files, so that a skipped stage is recorded as well.
EvalResult recordResult(RunJournal& journal, const fs::path& out, const std::string& name) {
    const std::string file = (out / "results.json").string();
    const Json results = parseStrictJson(readFile(out / "results.json", size_t{1} << 24), file, {});
    const EvalResult result = evalResultFromJson(results.value("spd", Json()), file);
    std::vector<Metric> metrics = {{"eval/" + name + "/exact_match", 0, result.exactMatch(), 0},
                                   {"eval/" + name + "/n", 0, static_cast<double>(result.n), 0}};
    if (result.kl_tokens > 0)
        metrics.push_back({"eval/" + name + "/mean_kl_to_base", 0, result.mean_kl_to_base, 0});
    journal.addMetrics(metrics);
    journal.addExamples(store::readSamples(out / fmt::format("samples_{}.jsonl", result.task), name));
    return result;
}

}  // namespace

EvalResult runEvaluation(const RunContext& context, size_t index, const MadeArtifacts& made) {
    RunJournal& journal = context.journal;
    const Experiment::Evaluation& evaluation = context.run.experiment.evaluate[index];
    const bool is_generating = evaluation.policy == "generating";
    const std::string name = evaluation.task + (is_generating ? "-generating" : "");
    const std::string folder = fmt::format("runs/{}/eval/{}", journal.name(), name);
    const std::string adapter = is_generating ? "" : made.adapter_sha256;
    const std::string subspace = is_generating ? made.subspace_sha256 : "";
    EvaluateRequest request = requestOf(context, index, made);
    request.out = journal.experimentFolder() / folder;
    const StagePlan plan{
        "evaluate " + name,
        "results",
        journal.folder() / "stages" / fmt::format("evaluate-{}.json", name),
        evaluateInputs(context.facts, context.run, evaluation, request.questions.record, adapter, subspace),
        is_generating ? madeFrom("subspace", subspace) : madeFrom("adapter", adapter),
        "results.json"};
    makeFolders(request.out);
    journal.stage(plan, [&] {
        const EvalResult result = evaluateQuestions(request, context.model, stageJob(context, plan.name));
        return StageWork{
            {folder + "/results.json", fmt::format("{}/samples_{}.jsonl", folder, evaluation.task)},
            Json::object(),
            fmt::format("{} of {} right", result.correct, result.n)};
    });
    return recordResult(journal, request.out, name);
}

}  // namespace spd
