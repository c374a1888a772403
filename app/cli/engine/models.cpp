// models.list, model.inspect, model.unload.

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/machine_json.h"
#include "app/cli/inspection.h"
#include "core/base/error.h"
#include "core/base/machine.h"
#include "core/io/hub_cache.h"
#include "core/io/listing/model_list.h"
#include "core/protocol/params.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

ordered_json listAll(const Workplace& workplace, const ordered_json& json) {
    Params(json).refuseOthers();
    ordered_json models = ordered_json::array();
    for (const ListedModel& model : listModels(workplace.workspace(), workplace.recentModels()))
        models.push_back(model.toJson());
    return {{"models", models},
            {"folder", printable((workplace.workspace() / "models").native(), 4096)},
            {"cache", printable(hubCacheFolder().native(), 4096)},
            {"resident", workplace.modelState()}};
}

ordered_json inspect(Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::string model = params.text("model");
    const int64_t context = params.integer("context", 2048);
    CommonOptions common = workplace.common();
    common.dtype = params.text("dtype", common.dtype);
    params.refuseOthers();
    if (context < 1 || context > int64_t{1} << 31)
        throw Refusal(Code::invalid_params, "context must lie in [1, 2147483648]");
    if (!common.dtype.empty() && !parseDType(common.dtype))
        throw Refusal(Code::invalid_params, "dtype must be float32, bfloat16 or float16");
    ordered_json result;
    try {
        const Inspection found = inspectModel(model, context, common, {});
        workplace.noteModel(found.location);
        result = inspectionJson(found);
    } catch (const Error& error) {
        if (error.exitCode() != 3)
            throw;
        result = refusedInspectionJson(model, error);
    }
    result["machine"] = machineJson(readMachine());
    return result;
}

ordered_json unload(Workplace& workplace, const ordered_json& json) {
    Params(json).refuseOthers();
    if (!workplace.unloadModel())
        throw Refusal(Code::busy, "a job computes with the model; it can be given back when that has ended");
    return ordered_json::object();
}

}  // namespace

void addModelMessages(engine::Server& server, Workplace& workplace) {
    server.addQuery("models.list",
                    [&workplace](const ordered_json& params) { return listAll(workplace, params); });
    server.addQuery("model.inspect",
                    [&workplace](const ordered_json& params) { return inspect(workplace, params); });
    server.addQuery("model.unload",
                    [&workplace](const ordered_json& params) { return unload(workplace, params); });
}

}  // namespace spd::cli
