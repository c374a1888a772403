#include "core/subspace/projection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/subspace/selection/random_basis.h"
#include "core/subspace/selection/rank_rule.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& rule) {
    throw Error(ErrorKind::invalid_argument, rule);
}

std::string_view name(ProjectWhen when) {
    return when == ProjectWhen::all           ? "all"
           : when == ProjectWhen::decode_only ? "decode_only"
                                              : "prefill_only";
}

std::string_view name(ProjectApply apply) {
    return apply == ProjectApply::folded ? "folded" : "activation";
}

std::string_view name(ProjectControl control) {
    return control == ProjectControl::none         ? "none"
           : control == ProjectControl::complement ? "complement"
                                                   : "random";
}

std::vector<int64_t> chosenLayers(const Subspace& subspace, const std::string& setting) {
    const bool all_measured = static_cast<int64_t>(subspace.layers.size()) == subspace.num_hidden_layers;
    if (setting.empty() && !all_measured)
        return subspace.layers;
    std::vector<int64_t> layers =
        parseLayers(setting.empty() ? "last_mid" : setting, subspace.num_hidden_layers);
    for (const int64_t layer : layers)
        if (!std::binary_search(subspace.layers.begin(), subspace.layers.end(), layer))
            refuse(fmt::format("layers \"{}\": layer {} was not measured, only {}", printable(setting), layer,
                               fmt::join(subspace.layers, ", ")));
    return layers;
}

std::vector<KvStream> chosenStreams(const std::string& project) {
    if (project == "both")
        return {KvStream::k, KvStream::v};
    if (project == "k")
        return {KvStream::k};
    if (project == "v")
        return {KvStream::v};
    refuse(fmt::format("project \"{}\": must be both, k or v", printable(project)));
}

ProjectApply chosenApply(const Subspace& subspace, const ProjectionSettings& settings) {
    const bool can_fold = subspace.site == KvSite::proj || settings.project == "v";
    if (settings.apply == ProjectApply::folded && !can_fold)
        refuse(fmt::format("apply folded: K was measured at {}, and only proj can be folded into the weights",
                           spd::name(subspace.site)));
    return settings.apply.value_or(can_fold ? ProjectApply::folded : ProjectApply::activation);
}

/// Picks the ranks of one projection.
class RankChooser {
public:
    RankChooser(const ProjectionSettings& settings, std::vector<std::string>& warnings)
        : settings_(settings), rule_(RankRule::parse(settings.rank_rule)), warnings_(warnings) {}

    const RankRule& rule() const { return rule_; }

    /// One, or one a head.
    std::vector<int64_t> ranksOf(const KvTarget& target, const TargetSubspace& measured) const {
        std::vector<int64_t> ranks;
        for (size_t head = 0; head < measured.heads.size(); ++head)
            ranks.push_back(rankOf(target, measured.heads[head],
                                   measured.heads.size() == 1
                                       ? toText(target)
                                       : fmt::format("{}, head {}", toText(target), head)));
        return ranks;
    }

private:
    int64_t rankOf(const KvTarget& target, const Spectrum& spectrum, const std::string& where) const {
        const int64_t width = spectrum.singular_values.size();
        if (spectrum.numeric_rank == 0)
            refuse(where + ": the gradient is zero in every row, there is no subspace to keep");
        const int64_t asked = rule_.rankFor(target, spectrum);
        if (asked > width)
            refuse(
                fmt::format("{}: {} asks for rank {}, it is {} wide", where, rule_.source(), asked, width));
        if (asked <= spectrum.numeric_rank)
            return asked;
        if (rule_.isFixed() && !settings_.allow_arbitrary)
            refuse(
                fmt::format("{}: {} asks for rank {}, the numeric rank is {}: directions past it are "
                            "arbitrary (--allow-arbitrary takes them all the same)",
                            where, rule_.source(), asked, spectrum.numeric_rank));
        if (rule_.isFixed()) {
            warnings_.push_back(
                fmt::format("{}: rank {} is above the numeric rank {}: the directions past "
                            "it are arbitrary",
                            where, asked, spectrum.numeric_rank));
            return asked;
        }
        warnings_.push_back(fmt::format("{}: {} asks for rank {}, clipped to the numeric rank {}", where,
                                        rule_.source(), asked, spectrum.numeric_rank));
        return spectrum.numeric_rank;
    }

    const ProjectionSettings& settings_;
    RankRule rule_;
    std::vector<std::string>& warnings_;
};

/// Q or what the strength leaves of the way to it, of one basis.
Eigen::MatrixXd blockOf(const ProjectionSettings& settings, const KvTarget& target, int64_t head,
                        const Spectrum& spectrum, int64_t rank) {
    const int64_t width = spectrum.singular_values.size();
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(width, width);
    const Eigen::MatrixXd basis = settings.control == ProjectControl::random
                                      ? randomBasis(settings.control_seed, target, head, rank, width)
                                      : Eigen::MatrixXd(spectrum.right_singular_vectors.topRows(rank));
    Eigen::MatrixXd kept = Eigen::MatrixXd::Zero(width, width);
    kept.selfadjointView<Eigen::Lower>().rankUpdate(basis.transpose());
    kept.triangularView<Eigen::StrictlyUpper>() = kept.transpose();
    if (settings.control == ProjectControl::complement)
        kept = identity - kept;
    return identity - settings.strength * (identity - kept);
}

/// M = I - a (I - Q), block by block where heads have their own basis.
ProjectionMap mapOf(const ProjectionSettings& settings, const KvTarget& target,
                    const TargetSubspace& measured, const std::vector<int64_t>& ranks) {
    const auto heads = static_cast<int64_t>(measured.heads.size());
    const int64_t width = measured.heads.front().singular_values.size();
    ProjectionMap map;
    map.ranks = ranks;
    map.map = Eigen::MatrixXd::Zero(heads * width, heads * width);
    for (int64_t head = 0; head < heads; ++head)
        map.map.block(head * width, head * width, width, width) =
            blockOf(settings, target, head, measured.heads[static_cast<size_t>(head)],
                    ranks[static_cast<size_t>(head)]);
    return map;
}

Json recordOf(const Projection& projection, const ProjectionSettings& settings, const SelectedRanks& selected,
              const std::string& subspace_sha256) {
    Json record = {{"subspace_sha256", subspace_sha256}, {"layers", selected.layers},
                   {"site", spd::name(projection.site)}, {"project", settings.project},
                   {"rank_rule", selected.rank_rule},    {"strength", settings.strength},
                   {"control", name(settings.control)}};
    if (settings.control == ProjectControl::random)
        record["control_seed"] = settings.control_seed;
    record["when"] = name(projection.when);
    record["apply"] = name(projection.apply);
    Json& ranks = record["ranks"] = Json::object();
    for (const auto& [target, map] : projection.maps)
        ranks[toText(target)] = map.ranks;
    return record;
}

}  // namespace

SelectedRanks selectRanks(const Subspace& subspace, const ProjectionSettings& settings) {
    if (!std::isfinite(settings.strength))
        refuse("strength: must be a finite number");
    SelectedRanks selected;
    selected.layers = chosenLayers(subspace, settings.layers);
    const std::vector<KvStream> streams = chosenStreams(settings.project);
    selected.apply = chosenApply(subspace, settings);
    const RankChooser chooser(settings, selected.warnings);
    for (const int64_t layer : selected.layers)
        for (const KvStream stream : streams) {
            const KvTarget target = {layer, stream};
            selected.ranks.emplace(target, chooser.ranksOf(target, subspace.targets.at(target)));
        }
    selected.rank_rule = chooser.rule().name();
    return selected;
}

Projection selectProjection(const Subspace& subspace, const std::string& subspace_sha256,
                            const ProjectionSettings& settings) {
    SelectedRanks selected = selectRanks(subspace, settings);
    Projection projection;
    projection.site = subspace.site;
    projection.when = settings.when;
    projection.apply = selected.apply;
    projection.warnings = std::move(selected.warnings);
    for (const auto& [target, ranks] : selected.ranks)
        projection.maps.emplace(target, mapOf(settings, target, subspace.targets.at(target), ranks));
    projection.record = recordOf(projection, settings, selected, subspace_sha256);
    return projection;
}

}  // namespace spd
