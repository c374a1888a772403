#include "core/pipeline/open_intervention.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/io/adapter_writer.h"
#include "core/io/hub_cache.h"
#include "core/pipeline/session.h"
#include "core/subspace/subspace_folder.h"

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

/// @throws Error invalid_argument: another number of layers, another width
void checkShape(const Subspace& subspace, const std::string& folder, const ModelConfig& config) {
    const auto& heads = subspace.targets.begin()->second.heads;
    const int64_t width = static_cast<int64_t>(heads.size()) * heads.front().singular_values.size();
    if (subspace.num_hidden_layers != config.num_hidden_layers || width != config.kvWidth() ||
        (subspace.per_head && static_cast<int64_t>(heads.size()) != config.num_key_value_heads))
        throw Error(
            ErrorKind::invalid_argument,
            fmt::format("{}: was measured on {} ({} layers, K and V {} wide), this model has {} layers, "
                        "K and V {} wide",
                        folder, printable(subspace.model_id, 300), subspace.num_hidden_layers, width,
                        config.num_hidden_layers, config.kvWidth()));
}

Projection openProjection(const InterventionRequest& request, const Checkpoint& checkpoint,
                          const OnWarning& on_warning) {
    const Subspace subspace = readSubspace(request.subspace);
    checkMeasuredOn(subspace, request.subspace, checkpoint, on_warning);
    Projection projection = selectProjection(subspace, subspaceSha256(request.subspace), request.projection);
    if (on_warning)
        for (const std::string& warning : projection.warnings)
            on_warning(warning);
    return projection;
}

}  // namespace

void checkMeasuredOn(const Subspace& subspace, const fs::path& folder, const Checkpoint& checkpoint,
                     const OnWarning& on_warning) {
    const std::string shown = printable(folder.native(), 1000);
    checkShape(subspace, shown, checkpoint.config());
    if (on_warning && subspace.config_sha256 != configSha256(checkpoint))
        on_warning(fmt::format("{}: was measured on {}, whose config.json is not this model's", shown,
                               printable(subspace.model_id, 300)));
}

Intervention openIntervention(const InterventionRequest& request, const Checkpoint& checkpoint,
                              const OnWarning& on_warning) {
    Intervention intervention;
    if (!request.subspace.empty())
        intervention.projection = openProjection(request, checkpoint, on_warning);
    if (!request.adapter.empty()) {
        intervention.adapter = readAdapter(request.adapter, checkpoint.config());
        warnOfOtherBase(*intervention.adapter, request.adapter, checkpoint, on_warning);
    }
    checkFits(intervention, checkpoint.config());
    return intervention;
}

}  // namespace spd
