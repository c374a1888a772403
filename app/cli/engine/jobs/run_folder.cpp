#include "core/store/import/run_folder.h"

#include <fmt/format.h>

#include <iostream>

#include "app/cli/engine/jobs/stage_jobs.h"
#include "core/base/error.h"
#include "core/io/model_locator.h"
#include "core/store/run_store.h"

namespace spd::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

namespace {

constexpr const char* kExperiment = "workbench";
constexpr size_t kMostNameBytes = 200;

/// Where nothing that import knows lies yet, nothing is recorded.
void adopt(Workplace& workplace, const RunPlace& run) {
    RunStore::ImportedRun found;
    try {
        found = readRunFolder(run.folder, {});
    } catch (const Error&) {
        return;
    }
    found.run.experiment = kExperiment;
    RunStore store = RunStore::open(workplace.workspace());
    const std::string id = store.importRun(found);
    workplace.emit("runs.changed", {{"run", id}});
}

}  // namespace

RunPlace runPlaceOf(const Workplace& workplace, const std::string& name) {
    const bool is_plain = !name.empty() && name.size() <= kMostNameBytes && name.front() != '.' &&
                          name.find('/') == std::string::npos && printable(name, kMostNameBytes) == name;
    if (!is_plain)
        throw Refusal(Code::invalid_params,
                      fmt::format("run: \"{}\" is no name for a folder (at most {} bytes, without / and not "
                                  "beginning with a dot)",
                                  printable(name), kMostNameBytes));
    return {name, fs::absolute(workplace.workspace()) / "experiments" / kExperiment / "runs" / name};
}

RunPlace runPlaceOf(const Workplace& workplace, Params& params) {
    return runPlaceOf(workplace, params.text("run"));
}

ordered_json workInRun(Workplace& workplace, const RunPlace& run, const std::function<ordered_json()>& work) {
    std::error_code error;
    fs::create_directories(run.folder, error);
    if (error)
        throw Error(ErrorKind::io, fmt::format("{}: cannot create: {}", printable(run.folder.native(), 1000),
                                               error.message()));
    ordered_json result;
    try {
        result = work();
    } catch (...) {
        try {
            adopt(workplace, run);
        } catch (const std::exception& unrecorded) {  // why the work ended matters more
            std::cerr << fmt::format("engine: run {} is not recorded: {}\n", run.name, unrecorded.what());
        }
        throw;
    }
    adopt(workplace, run);
    return result;
}

void addStageJob(engine::Server& server, Workplace& workplace, const char* kind,
                 std::string (*model_of)(const Workplace& workplace, const ordered_json& params),
                 StageWork work) {
    server.addJobKind(
        kind, {.check =
                   [&workplace, model_of](const ordered_json& params) {
                       locateModel(model_of(workplace, params), workplace.workspace());
                       return params;
                   },
               .run = [&workplace, work](
                          const ordered_json& params, engine::JobChannel& channel,
                          const JobContext& context) { return work(workplace, params, channel, context); },
               .resumable = true});
}

DType dtypeOf(Params& params, DType fallback) {
    const std::string text = params.text("dtype", "");
    if (text.empty())
        return fallback;
    const std::optional<DType> dtype = parseDType(text);
    if (!dtype)
        throw Refusal(Code::invalid_params, "dtype must be float32, bfloat16 or float16");
    return *dtype;
}

}  // namespace spd::cli
