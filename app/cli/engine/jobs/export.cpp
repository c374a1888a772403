// The job "export": spd export peft, merged, hook.

#include <fmt/format.h>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "app/cli/export/export_commands.h"
#include "app/cli/stage_summaries.h"
#include "core/base/error.h"
#include "core/model/causal_lm.h"

namespace spd::cli {
namespace {

using engine::JobChannel;
using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

struct ExportJob {
    std::string what;
    std::string run;
    std::string given_setting;  ///< of a projection; empty: none
    std::string base;
    std::filesystem::path out;
    std::filesystem::path adapter;
    InterventionRequest intervention;
    std::optional<DType> dtype;
    bool overwrite = false;
};

ExportJob read(const ordered_json& json) {
    Params params(json);
    ExportJob job;
    job.what = params.text("what");
    job.run = params.text("run", "");
    job.base = params.text("base", "");
    job.out = params.text("out");
    job.overwrite = params.flag("overwrite", false);
    if (job.what == "hook") {
        if (params.has("subspace"))
            job.given_setting = "subspace";
        for (const char* key : kProjectionKeys)
            if (params.has(key) && job.given_setting.empty())
                job.given_setting = key;
        job.intervention.subspace = params.text("subspace", "");
        job.intervention.projection = projectionOf(params);
    } else if (job.what == "peft" || job.what == "merged") {
        job.adapter = params.text("adapter", "");
    } else {
        throw Refusal(Code::invalid_params, "what must be peft, merged or hook");
    }
    if (job.what == "merged" && params.has("dtype"))
        job.dtype = dtypeOf(params, DType::float32);
    params.refuseOthers();
    if (!job.run.empty() && (!job.adapter.empty() || !job.intervention.subspace.empty()))
        throw Refusal(Code::invalid_params, "run, or a folder (adapter, subspace): one of them");
    return job;
}

PeftExportRequest peftOf(const ExportJob& job, const CommonOptions& common, const OnWarning& warn) {
    PeftExportRequest request;
    request.adapter = job.adapter;
    request.base = job.base;
    request.workspace = common.workspace;
    request.out = job.out;
    request.overwrite = job.overwrite;
    request.on_warning = warn;
    chooseAdapter(job.run, common, request);
    return request;
}

ordered_json work(const ExportJob& job, const CommonOptions& common, const OnWarning& warn,
                  const JobContext& context) {
    if (job.what == "peft")
        return summaryJson(exportPeft(peftOf(job, common, warn), context), job.out);
    if (job.what == "merged") {
        const PeftExportRequest chosen = peftOf(job, common, warn);
        MergeRequest request;
        request.adapter = chosen.adapter;
        request.base = chosen.base;
        request.workspace = common.workspace;
        request.out = job.out;
        request.dtype = job.dtype;
        request.overwrite = job.overwrite;
        request.on_warning = warn;
        return summaryJson(exportMerged(request, context), job.out);
    }
    HookExportRequest request;
    request.intervention = job.intervention;
    request.base = job.base;
    request.workspace = common.workspace;
    request.out = job.out;
    request.overwrite = job.overwrite;
    request.on_warning = warn;
    chooseProjection(job.run, job.given_setting, common, request);
    return summaryJson(exportHook(request, context), job.out);
}

}  // namespace

void addExportJob(engine::Server& server, Workplace& workplace) {
    engine::JobKind kind;
    kind.check = [](const ordered_json& params) {
        read(params);
        return params;
    };
    kind.run = [&workplace](const ordered_json& params, JobChannel&, const JobContext& context) {
        workplace.releaseModel();  // the comparison holds one of its own
        setTorchThreads(chosenThreads(workplace.common()));
        return work(
            read(params), workplace.common(),
            [&](const std::string& warning) { context.say(fmt::format("warning: {}", warning)); }, context);
    };
    server.addJobKind("export", std::move(kind));
}

}  // namespace spd::cli
