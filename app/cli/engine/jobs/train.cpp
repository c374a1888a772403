// The job "train": spd train in a run's folder.

#include "core/pipeline/train.h"

#include <fmt/format.h>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "app/cli/stage_summaries.h"
#include "core/base/error.h"
#include "core/kernels/kernel_table.h"

namespace spd::cli {
namespace {

using engine::JobChannel;
using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

struct TrainJob {
    RunPlace run;
    TrainRequest request;
};

void readRecipe(Params& params, TrainRequest& request) {
    TrainingSettings& settings = request.settings;
    request.init_adapter = params.text("init_adapter", "");
    if (!request.init_adapter.empty() && (params.has("r") || params.has("alpha")))
        throw Refusal(Code::invalid_params, "r and alpha are those of init_adapter; leave them out");
    settings.epochs = params.integer("epochs", settings.epochs);
    settings.lr = params.number("lr", settings.lr);
    settings.r = params.integer("r", settings.r);
    settings.alpha = params.number("alpha", settings.alpha);
    settings.dropout = params.number("dropout", settings.dropout);
    settings.batch_size = params.integer("batch_size", settings.batch_size);
    settings.weight_decay = params.number("weight_decay", settings.weight_decay);
    settings.max_grad_norm = params.number("max_grad_norm", settings.max_grad_norm);
    const auto loss = parseCountedTokens(params.text("loss", "full"));
    const auto recompute = parseRecompute(params.text("recompute", "auto"));
    if (!loss)
        throw Refusal(Code::invalid_params, "loss must be full or completion_only");
    if (!recompute)
        throw Refusal(Code::invalid_params, "recompute must be auto, off or full");
    settings.loss = *loss;
    settings.recompute = *recompute;
    settings.seed = seedOf(params);
}

/// A share or a file, in the command's words or as a number.
void readHeldOut(Params& params, const ordered_json& json, TrainRequest& request) {
    if (!params.has("held_out"))
        return;
    const ordered_json& value = json.at("held_out");
    const std::string text = value.is_number() ? value.dump() : params.text("held_out");
    if (!text.empty())
        request.chooseHeldOut(text);
}

TrainJob read(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    TrainJob job;
    job.run = runPlaceOf(workplace, params);
    TrainRequest& request = job.request;
    request.model = params.text("model");
    request.workspace = workplace.workspace();
    request.corpus = params.text("corpus", job.run.corpus().native());
    request.out = job.run.training();
    readRecipe(params, request);
    readHeldOut(params, json, request);
    request.corpus_filter = parseCorpusFilter(params.text("corpus_filter", "none"));
    request.early_stop = params.integer("early_stop", 0);
    request.keep_best = params.flag("keep_best", false);
    request.checkpoint_every = params.integer("checkpoint_every", request.checkpoint_every);
    request.dtype = dtypeOf(params, detectIsa() == Isa::avx512_bf16 ? DType::bfloat16 : DType::float32);
    request.overwrite = params.flag("overwrite", false);
    request.threads = chosenThreads(workplace.common());
    request.resume = true;
    request.program_version = SPD_VERSION;
    params.refuseOthers();
    request.validate();
    return job;
}

ordered_json run(Workplace& workplace, const ordered_json& params, JobChannel& channel,
                 const JobContext& context) {
    TrainJob job = read(workplace, params);
    return workInRun(workplace, job.run, [&] {
        workplace.releaseModel();  // training holds the weights itself
        job.request.on_step = [&](const ordered_json& line) { channel.metric(line); };
        return summaryJson(trainAdapter(job.request, context));
    });
}

}  // namespace

void addTrainJob(engine::Server& server, Workplace& workplace) {
    addStageJob(
        server, workplace, "train",
        [](const Workplace& of, const ordered_json& params) { return read(of, params).request.model; }, run);
}

}  // namespace spd::cli
