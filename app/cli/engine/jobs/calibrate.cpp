// The job "calibrate": spd calibrate in a run's folder.

#include "core/pipeline/calibrate.h"

#include <fmt/format.h>

#include "app/cli/calibration.h"
#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "app/cli/stage_summaries.h"
#include "core/base/files.h"
#include "core/subspace/projection.h"

namespace spd::cli {
namespace {

using engine::JobChannel;
using nlohmann::ordered_json;
using protocol::Params;

struct CalibrateJob {
    RunPlace run;
    std::string model;
    ExampleSource source;
    ordered_json examples;  ///< given in the params, null where they are not
    std::string layers;
    CalibrateRequest request;
};

CalibrateJob read(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    CalibrateJob job;
    job.run = runPlaceOf(workplace, params);
    job.model = params.text("model");
    job.source = exampleSourceOf(params);
    job.examples = json.value("examples", ordered_json());
    params.has("examples");
    requireOneSource(job.source, job.examples);
    job.layers = params.text("layers", "last_mid");
    CalibrateRequest& request = job.request;
    request.settings.loss = parseCalibrationLoss(params.text("loss", "aligned"));
    request.settings.site = parseKvSite(params.text("site", "proj"));
    request.settings.per_head = params.flag("per_head", false);
    request.dtype = dtypeOf(params, DType::float32);
    request.overwrite = params.flag("overwrite", false);
    request.threads = chosenThreads(workplace.common());
    request.out = job.run.calibration();
    params.refuseOthers();
    return job;
}

/// What the command would read with --examples.
void writeExamples(CalibrateJob& job) {
    job.source.examples = job.run.folder / "calibration_examples.jsonl";
    std::string lines;
    for (const ordered_json& example : job.examples)
        lines += example.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
    writeFileAtomically(job.source.examples, lines);
}

ordered_json pointOf(const MeasuredExample& example) {
    return {{"step", example.number},
            {"id", toJson(example.record.id)},
            {"loss", example.record.loss},
            {"tokens", example.record.tokens},
            {"targets", example.record.targets},
            {"gradient_norm", example.gradient_norm}};
}

ordered_json run(Workplace& workplace, const ordered_json& params, JobChannel& channel,
                 const JobContext& context) {
    CalibrateJob job = read(workplace, params);
    return workInRun(workplace, job.run, [&] {
        if (!job.examples.is_null())
            writeExamples(job);
        ordered_json result;
        workplace.useModel(job.model, context, [&](ResidentModel& model) {
            const Session& session = model.session();
            CalibrateRequest& request = job.request;
            request.settings.layers = parseLayers(job.layers, session.checkpoint.config().num_hidden_layers);
            readExamples(job.source, session, request, [&](const std::string& warning) {
                context.say(fmt::format("warning: {}", warning));
            });
            request.on_example = [&](const MeasuredExample& example) { channel.metric(pointOf(example)); };
            result = summaryJson(calibrate(model, request, context), request.out);
        });
        return result;
    });
}

}  // namespace

void addCalibrateJob(engine::Server& server, Workplace& workplace) {
    addStageJob(
        server, workplace, "calibrate",
        [](const Workplace& of, const ordered_json& params) { return read(of, params).model; }, run);
}

}  // namespace spd::cli
