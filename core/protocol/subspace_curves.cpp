#include "core/protocol/subspace_curves.h"

#include <fmt/format.h>

#include "core/protocol/message.h"
#include "core/protocol/params.h"

namespace spd::protocol {
namespace {

using nlohmann::ordered_json;

std::vector<double> readNumbers(const ordered_json& json, const char* key) {
    if (!json.contains(key) || !json[key].is_array())
        throw Refusal(Code::invalid_params, fmt::format("{}: must be a list of numbers", key));
    std::vector<double> values;
    for (const ordered_json& value : json[key]) {
        if (!value.is_number())
            throw Refusal(Code::invalid_params, fmt::format("{}: must be a list of numbers", key));
        values.push_back(value.get<double>());
    }
    return values;
}

TargetCurves readTarget(const ordered_json& json) {
    Params params(json);
    const std::optional<KvTarget> named = parseKvTarget(params.text("target"));
    if (!named)
        throw Refusal(Code::invalid_params, "target: must be like 11.k");
    TargetCurves target{.target = *named,
                        .head = params.integer("head", 0),
                        .singular_values = readNumbers(json, "singular_values"),
                        .split_half_overlap = readNumbers(json, "split_half_overlap"),
                        .rows = params.integer("rows", 0),
                        .nonzero_rows = params.integer("nonzero_rows", 0),
                        .numeric_rank = params.integer("numeric_rank"),
                        .effective_rank = params.number("effective_rank", 0),
                        .stable_rank = params.number("stable_rank", 0)};
    const auto width = std::ssize(target.singular_values);
    if (width == 0 || std::ssize(target.split_half_overlap) != width || target.numeric_rank < 0 ||
        target.numeric_rank > width)
        throw Refusal(Code::invalid_params,
                      fmt::format("target {}: its curves do not fit together", toText(*named)));
    return target;
}

}  // namespace

SubspaceCurves SubspaceCurves::fromJson(const ordered_json& json) {
    Params params(json);
    SubspaceCurves curves{.path = params.text("path"),
                          .model = params.text("model", ""),
                          .site = params.text("site", ""),
                          .loss = params.text("loss", ""),
                          .dtype = params.text("dtype", ""),
                          .per_head = params.flag("per_head", false),
                          .num_hidden_layers = params.integer("num_hidden_layers"),
                          .examples = params.integer("examples", 0),
                          .layers = {},
                          .targets = {}};
    if (!json.contains("targets") || !json["targets"].is_array() || json["targets"].empty())
        throw Refusal(Code::invalid_params, "targets: must be a list that is not empty");
    for (const ordered_json& target : json["targets"]) {
        curves.targets.push_back(readTarget(target));
        const int64_t layer = curves.targets.back().target.layer;
        if (layer >= curves.num_hidden_layers)
            throw Refusal(Code::invalid_params, "num_hidden_layers: fewer than the targets name");
        if (curves.layers.empty() || curves.layers.back() < layer)
            curves.layers.push_back(layer);
        else if (curves.layers.back() > layer)
            throw Refusal(Code::invalid_params, "targets: must be sorted by layer");
    }
    return curves;
}

}  // namespace spd::protocol
