// The job "experiment": spd run.

#include "core/config/experiment.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/cli/engine/jobs/stage_jobs.h"
#include "app/cli/experiment_output.h"
#include "core/base/error.h"
#include "core/model/causal_lm.h"
#include "core/pipeline/run_experiment.h"

namespace spd::cli {
namespace {

using engine::JobChannel;
using nlohmann::ordered_json;
using protocol::Params;

ExperimentRequest read(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    ExperimentRequest request;
    request.file = params.text("file");
    request.workspace = workplace.workspace();
    request.threads = chosenThreads(workplace.common());
    request.program_version = SPD_VERSION;
    params.refuseOthers();
    return request;
}

ordered_json run(Workplace& workplace, const ordered_json& params, JobChannel& channel,
                 const JobContext& context) {
    const ExperimentRequest request = read(workplace, params);
    workplace.releaseModel();  // the experiment holds one of its own
    setTorchThreads(request.threads);
    const ExperimentOutcome outcome = runExperiment(request, context, [&](const StageOutcome& stage) {
        channel.output({{"run", stage.run},
                        {"stage", stage.stage},
                        {"result", stage.result},
                        {"seconds", stage.seconds},
                        {"skipped", stage.skipped}});
        context.say(describe(stage));
    });
    std::vector<std::string> failed;
    for (const RunOutcome& each : outcome.runs) {
        workplace.emit("runs.changed", {{"run", each.id}});
        if (!each.error.empty())
            failed.push_back(fmt::format("{}: {}", each.name, each.error));
    }
    for (const std::string& notice : outcome.notices)
        context.say(notice);
    if (!failed.empty()) {
        Error error(ErrorKind::io, fmt::format("{} of {} runs failed: {}", failed.size(), outcome.runs.size(),
                                               failed.front()));
        error.withDetails(failed);
        throw error;
    }
    return ordered_json::parse(describe(outcome, /*json=*/true));
}

}  // namespace

void addExperimentJob(engine::Server& server, Workplace& workplace) {
    engine::JobKind kind;
    kind.resumable = true;
    kind.check = [&workplace](const ordered_json& params) {
        readExperiment(read(workplace, params).file);
        return params;
    };
    kind.run = [&workplace](const ordered_json& params, JobChannel& channel, const JobContext& context) {
        return run(workplace, params, channel, context);
    };
    server.addJobKind("experiment", std::move(kind));
}

}  // namespace spd::cli
