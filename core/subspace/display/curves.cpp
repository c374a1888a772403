#include "core/subspace/display/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numbers>

#include "core/subspace/spectrum.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// The nearest number of nine significant digits: JSON text in half the bytes.
double rounded(double value) {
    char digits[32];
    const auto written = fmt::format_to_n(digits, sizeof digits, "{:.9g}", value);
    double short_value = value;
    std::from_chars(digits, digits + std::min(written.size, sizeof digits), short_value);
    return short_value;
}

Json roundedList(const Eigen::VectorXd& values) {
    Json list = Json::array();
    list.get_ref<Json::array_t&>().reserve(static_cast<size_t>(values.size()));
    for (const double value : values)
        list.push_back(rounded(value));
    return list;
}

Json headed(const KvTarget& target, const Subspace& subspace, size_t head) {
    return {{"target", toText(target)},
            {"layer", target.layer},
            {"stream", name(target.stream)},
            {"head", subspace.per_head ? Json(head) : Json()}};
}

Json rankRow(const Spectrum& head, int64_t rank) {
    const Eigen::VectorXd& s = head.singular_values;
    const bool has_next = rank < s.size() && s(rank) > 0;
    return {{"width", s.size()},
            {"rank", rank},
            {"kept_energy", rounded(energyOf(s, rank))},
            {"gap", has_next ? Json(rounded(s(rank - 1) / s(rank))) : Json()},
            {"split_half_overlap", rounded(head.split_half_overlap(rank - 1))},
            {"chance", rounded(static_cast<double>(rank) / static_cast<double>(s.size()))},
            {"effective_rank", rounded(head.effective_rank)},
            {"numeric_rank", head.numeric_rank},
            {"arbitrary", std::max<int64_t>(0, rank - head.numeric_rank)}};
}

}  // namespace

Json curvesJson(const Subspace& subspace) {
    Json targets = Json::array();
    for (const auto& [target, measured] : subspace.targets)
        for (size_t i = 0; i < measured.heads.size(); ++i) {
            const Spectrum& head = measured.heads[i];
            Json row = headed(target, subspace, i);
            row["rows"] = measured.rows;
            row["nonzero_rows"] = measured.nonzero_rows;
            row["numeric_rank"] = head.numeric_rank;
            row["effective_rank"] = rounded(head.effective_rank);
            row["stable_rank"] = rounded(head.stable_rank);
            row["singular_values"] = roundedList(head.singular_values);
            row["split_half_overlap"] = roundedList(head.split_half_overlap);
            targets.push_back(std::move(row));
        }
    return {{"model", subspace.model_id},
            {"revision", subspace.model_revision},
            {"site", name(subspace.site)},
            {"per_head", subspace.per_head},
            {"loss", subspace.loss},
            {"dtype", name(subspace.dtype)},
            {"num_hidden_layers", subspace.num_hidden_layers},
            {"layers", subspace.layers},
            {"examples", subspace.examples.size()},
            {"targets", std::move(targets)}};
}

Json rankTableJson(const Subspace& subspace, const SelectedRanks& selected) {
    Json targets = Json::array();
    for (const auto& [target, ranks] : selected.ranks)
        for (size_t i = 0; i < ranks.size(); ++i) {
            Json row = headed(target, subspace, i);
            row.update(rankRow(subspace.targets.at(target).heads[i], ranks[i]));
            targets.push_back(std::move(row));
        }
    return {{"layers", selected.layers},
            {"apply", selected.apply == ProjectApply::folded ? "folded" : "activation"},
            {"rank_rule", selected.rank_rule},
            {"warnings", selected.warnings},
            {"targets", std::move(targets)}};
}

Json anglesJson(const Eigen::VectorXd& angles) {
    return roundedList(angles * (180 / std::numbers::pi));
}

}  // namespace spd
