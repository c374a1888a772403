#include "core/intervene/intervention.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& rule) {
    throw Error(ErrorKind::invalid_argument, rule);
}

void checkProjection(const Projection& projection, const ModelConfig& config) {
    if (projection.site == KvSite::post_norm && !config.qk_norm)
        refuse("site post_norm: the model has no k_norm");
    for (const auto& [target, map] : projection.maps) {
        const std::string where = "projection of " + toText(target) + ": ";
        if (target.layer < 0 || target.layer >= config.num_hidden_layers)
            refuse(fmt::format("{}the model has {} layers", where, config.num_hidden_layers));
        if (map.map.rows() != config.kvWidth() || map.map.cols() != config.kvWidth())
            refuse(fmt::format("{}the map is {} x {}, K and V of the model are {} wide", where,
                               map.map.rows(), map.map.cols(), config.kvWidth()));
        if (!map.map.allFinite())
            refuse(where + "the map has entries that are not finite");
        if (target.stream == KvStream::k && projection.site != KvSite::proj &&
            projection.apply == ProjectApply::folded)
            refuse(fmt::format("{}only site proj can be folded into the weights, not {}", where,
                               name(projection.site)));
    }
}

void checkAdapter(const LoraAdapter& adapter, const ModelConfig& config) {
    std::set<std::pair<int64_t, AttentionLinear>> seen;
    for (const LoraModule& module : adapter.modules) {
        const std::string where =
            fmt::format("adapter, layer {}, {}: ", module.layer, moduleName(module.linear));
        if (module.layer < 0 || module.layer >= config.num_hidden_layers)
            refuse(fmt::format("{}the model has {} layers", where, config.num_hidden_layers));
        if (!seen.emplace(module.layer, module.linear).second)
            refuse(where + "is there twice");
        if (module.r < 1 || !std::isfinite(module.scale))
            refuse(where + "r must be above 0 and the scale finite");
        if (static_cast<int64_t>(module.a.size()) != module.r * inWidth(config, module.linear) ||
            static_cast<int64_t>(module.b.size()) != module.r * outWidth(config, module.linear))
            refuse(where + "lora_A and lora_B do not fit the model");
        const auto finite = [](float value) { return std::isfinite(value); };
        if (!std::all_of(module.a.begin(), module.a.end(), finite) ||
            !std::all_of(module.b.begin(), module.b.end(), finite))
            refuse(where + "has entries that are not finite");
    }
}

/// Of every module's place, rank, scale and values: of what the adapter computes, not of how it is stored.
std::string adapterSha256(const LoraAdapter& adapter) {
    const auto bytesOf = [](const std::vector<float>& values) {
        return std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    };
    std::string digests;
    for (const LoraModule& module : adapter.modules)
        digests += fmt::format("{} {} {} {:a} {} {}\n", module.layer, moduleName(module.linear), module.r,
                               module.scale, sha256Hex(bytesOf(module.a)), sha256Hex(bytesOf(module.b)));
    return sha256Hex(digests);
}

}  // namespace

void checkFits(const Intervention& intervention, const ModelConfig& config) {
    if (intervention.projection)
        checkProjection(*intervention.projection, config);
    if (intervention.adapter)
        checkAdapter(*intervention.adapter, config);
}

Json recordOf(const Intervention& intervention) {
    Json record = Json::object();
    if (intervention.projection)
        record["projection"] = intervention.projection->record;
    if (const auto& adapter = intervention.adapter)
        record["adapter"] = {{"r", adapter->r},
                             {"lora_alpha", adapter->lora_alpha},
                             {"modules", adapter->modules.size()},
                             {"values_sha256", adapterSha256(*adapter)}};
    return record;
}

std::string describe(const Intervention& intervention) {
    std::string text;
    if (const auto& projection = intervention.projection) {
        text = fmt::format("projection {} at", projection->apply == ProjectApply::folded
                                                   ? "folded into the weights"
                                                   : "applied to activations");
        const char* separator = " ";
        for (const auto& entry : projection->maps) {
            text += separator + toText(entry.first);
            separator = ", ";
        }
        if (projection->site != KvSite::proj)
            text += fmt::format(" (K {})", name(projection->site));
        if (projection->when != ProjectWhen::all)
            text += projection->when == ProjectWhen::decode_only ? ", new tokens only" : ", prompt only";
    }
    if (const auto& adapter = intervention.adapter) {
        text += text.empty() ? "" : "; ";
        text += fmt::format("adapter r {} on {} linears", adapter->r, adapter->modules.size());
    }
    return text.empty() ? "none" : text;
}

}  // namespace spd
