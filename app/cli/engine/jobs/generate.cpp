// The job "generate": spd generate in a run's folder.

#include <fmt/format.h>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "app/cli/stage_summaries.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/generate/method_presets.h"
#include "core/kernels/kernel_table.h"

namespace spd::cli {
namespace {

using engine::JobChannel;
using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

struct GenerateJob {
    RunPlace run;
    std::string task;  ///< empty: request.prompts
    std::string data;
    int64_t n_train = 0;
    CorpusRequest request;
};

GivenSampling samplingOf(Params& params) {
    return {.greedy = params.flag("greedy", false),
            .temperature = params.optionalNumber("temperature"),
            .top_p = params.optionalNumber("top_p"),
            .min_p = params.optionalNumber("min_p"),
            .repetition_penalty = params.optionalNumber("repetition_penalty"),
            .top_k = params.optionalInteger("top_k")};
}

void readPrompts(Params& params, GenerateJob& job) {
    job.request.prompts = params.text("prompts", "");
    job.task = params.text("task", "");
    job.data = params.text("data", "");
    job.n_train = params.integer("n_train", 0);
    if (job.request.prompts.empty() == job.task.empty())
        throw Refusal(Code::invalid_params, "the prompts come from task or from prompts, one of them");
    if (!job.task.empty())
        parseTask(job.task);
    CorpusRequest& request = job.request;
    request.chat = params.flag("chat", false);
    request.template_variables = params.object("template_variables");
}

GenerateJob read(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    GenerateJob job;
    job.run = runPlaceOf(workplace, params);
    CorpusRequest& request = job.request;
    request.model = params.text("model");
    request.workspace = workplace.workspace();
    const std::string method = params.text("method", "");
    request.method = parseSamplingMethod(method);
    if (!method.empty() && !request.method)
        throw Refusal(Code::invalid_params, "method must be psr, ssd or spd");
    const bool projects = request.method == Method::spd;
    request.intervention = interventionOf(params, projects ? job.run.calibration().native() : "");
    if (request.method)
        requireMethodFits(*request.method, !request.intervention.subspace.empty());
    readPrompts(params, job);
    request.settings = generationOf(params, request.method, request.model, workplace.workspace());
    request.dtype = dtypeOf(params, detectIsa() == Isa::avx512_bf16 ? DType::bfloat16 : DType::float32);
    request.overwrite = params.flag("overwrite", false);
    request.threads = chosenThreads(workplace.common());
    request.out = job.run.corpus();
    params.refuseOthers();
    return job;
}

/// What the command would read with --prompts.
void writePrompts(GenerateJob& job) {
    const PromptTemplates templates = PromptTemplates::open();
    const TaskSplit split = openTaskSplit(parseTask(job.task), job.data, templates);
    const TrainingPrompts training = selectTraining(split, job.n_train, job.request.settings.seed, {},
                                                    /*disjoint=*/false, templates);
    job.request.prompts = job.run.folder / "prompts.jsonl";
    writeFileAtomically(job.request.prompts, promptLines(training.prompts));
}

ordered_json run(Workplace& workplace, const ordered_json& params, JobChannel& channel,
                 const JobContext& context) {
    GenerateJob job = read(workplace, params);
    JobContext counted = context;
    int64_t said = -1;
    counted.on_progress = [&](const Progress& progress) {
        context.report(progress);
        if (progress.done != said && progress.total > 0)
            channel.output({{"done", progress.done}});
        said = progress.done;
    };
    return workInRun(workplace, job.run, [&] {
        if (!job.task.empty())
            writePrompts(job);
        job.request.on_warning = [&](const std::string& warning) {
            context.say(fmt::format("warning: {}", warning));
        };
        ordered_json result;
        workplace.useModel(job.request.model, context, [&](ResidentModel& model) {
            result = summaryJson(generateCorpus(job.request, model, counted), job.request.out);
        });
        return result;
    });
}

}  // namespace

GenerationSettings generationOf(Params& params, std::optional<Method> method, const std::string& model,
                                const std::filesystem::path& workspace) {
    GenerationSettings settings;
    settings.max_new_tokens = params.integer("max_new_tokens", settings.max_new_tokens);
    settings.stop = params.texts("stop");
    const int64_t batch = params.integer("batch", settings.batch);
    if (batch < 1 || batch > 65'536)
        throw Refusal(Code::invalid_params, "batch must lie in [1, 65536]");
    settings.batch = static_cast<int>(batch);
    settings.seed = seedOf(params);
    const std::string start = params.text("sampling", "given");
    if (start != "given" && start != "model")
        throw Refusal(Code::invalid_params, "sampling must be given or model");
    if (method && start == "model")
        throw Refusal(Code::invalid_params, "method and sampling \"model\" exclude each other");
    settings.sampling = samplingOf(params).over(samplingStart(method, start == "model", model, workspace));
    settings.validate();
    return settings;
}

InterventionRequest interventionOf(Params& params, const std::string& otherwise) {
    InterventionRequest request;
    request.subspace = params.text("subspace", otherwise);
    if (request.subspace.empty())
        for (const char* key : kProjectionKeys)
            if (params.has(key))
                throw Refusal(Code::invalid_params, fmt::format("{}: needs subspace", key));
    request.projection = projectionOf(params);
    request.adapter = params.text("adapter", "");
    return request;
}

void addGenerateJob(engine::Server& server, Workplace& workplace) {
    addStageJob(
        server, workplace, "generate",
        [](const Workplace& of, const ordered_json& params) { return read(of, params).request.model; }, run);
}

}  // namespace spd::cli
