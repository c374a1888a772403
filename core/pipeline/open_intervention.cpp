#include "core/pipeline/open_intervention.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/io/adapter_writer.h"
#include "core/io/hub_cache.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

/// "name" of "org/name" and of a path.
std::string lastPart(const std::string& name) {
    const fs::path path = fs::path(name).lexically_normal();
    return path.has_filename() ? path.filename() : path.parent_path().filename();
}

/// Another name may be another place of the same model: said, not refused.
void warnOfOtherBase(const LoraAdapter& adapter, const fs::path& request, const Checkpoint& checkpoint,
                     const OnWarning& on_warning) {
    LoraAdapter named;
    const fs::path& folder = checkpoint.folder();
    nameBaseModel(named, describeSnapshot(folder).value_or(ModelLocation{folder, folder.native(), ""}));
    const std::string& trained_on = adapter.base_model_name_or_path;
    if (!on_warning || trained_on.empty() || lastPart(trained_on) == lastPart(named.base_model_name_or_path))
        return;
    on_warning(fmt::format("{}: was trained on {}, this model is {}", printable(request.native(), 1000),
                           printable(trained_on, 300), printable(named.base_model_name_or_path, 300)));
}

}  // namespace

Intervention openIntervention(const InterventionRequest& request, const Checkpoint& checkpoint,
                              const OnWarning& on_warning) {
    Intervention intervention;
    if (!request.adapter.empty()) {
        intervention.adapter = readAdapter(request.adapter, checkpoint.config());
        warnOfOtherBase(*intervention.adapter, request.adapter, checkpoint, on_warning);
    }
    checkFits(intervention, checkpoint.config());
    return intervention;
}

}  // namespace spd
