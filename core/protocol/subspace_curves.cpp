#include "core/protocol/subspace_curves.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "core/protocol/message.h"
#include "core/protocol/params.h"

namespace spd::protocol {
namespace {

using nlohmann::ordered_json;

double rounded(double value) {
    return std::strtod(fmt::format("{:.9g}", value).c_str(), nullptr);
}

ordered_json numbers(const std::vector<double>& values) {
    ordered_json list = ordered_json::array();
    for (const double value : values)
        list.push_back(rounded(value));
    return list;
}

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

ordered_json targetJson(const TargetCurves& target) {
    return {{"target", toText(target.target)},
            {"head", target.head},
            {"rows", target.rows},
            {"nonzero_rows", target.nonzero_rows},
            {"numeric_rank", target.numeric_rank},
            {"effective_rank", rounded(target.effective_rank)},
            {"stable_rank", rounded(target.stable_rank)},
            {"singular_values", numbers(target.singular_values)},
            {"split_half_overlap", numbers(target.split_half_overlap)}};
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

ordered_json SubspaceCurves::toJson() const {
    ordered_json list = ordered_json::array();
    for (const TargetCurves& target : targets)
        list.push_back(targetJson(target));
    return {{"path", path},         {"sha256", sha256},
            {"model", model},       {"site", site},
            {"loss", loss},         {"dtype", dtype},
            {"per_head", per_head}, {"num_hidden_layers", num_hidden_layers},
            {"examples", examples}, {"layers", layers},
            {"targets", list}};
}

SubspaceCurves SubspaceCurves::fromJson(const ordered_json& json) {
    Params params(json);
    SubspaceCurves curves{.path = params.text("path"),
                          .sha256 = params.text("sha256", ""),
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

SubspaceCurves curvesOf(const Subspace& subspace, const std::string& path, const std::string& sha256) {
    SubspaceCurves curves{.path = path,
                          .sha256 = sha256,
                          .model = subspace.model_id,
                          .site = std::string(name(subspace.site)),
                          .loss = subspace.loss,
                          .dtype = std::string(name(subspace.dtype)),
                          .per_head = subspace.per_head,
                          .num_hidden_layers = subspace.num_hidden_layers,
                          .examples = std::ssize(subspace.examples),
                          .layers = subspace.layers,
                          .targets = {}};
    const auto listOf = [](const Eigen::VectorXd& values) {
        return std::vector<double>(values.begin(), values.end());
    };
    for (const auto& [target, measured] : subspace.targets)
        for (size_t head = 0; head < measured.heads.size(); ++head) {
            const Spectrum& spectrum = measured.heads[head];
            curves.targets.push_back({.target = target,
                                      .head = static_cast<int64_t>(head),
                                      .singular_values = listOf(spectrum.singular_values),
                                      .split_half_overlap = listOf(spectrum.split_half_overlap),
                                      .rows = measured.rows,
                                      .nonzero_rows = measured.nonzero_rows,
                                      .numeric_rank = spectrum.numeric_rank,
                                      .effective_rank = spectrum.effective_rank,
                                      .stable_rank = spectrum.stable_rank});
        }
    return curves;
}

}  // namespace spd::protocol
