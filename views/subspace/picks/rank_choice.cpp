#include "views/subspace/picks/rank_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace spd {
namespace {

using protocol::TargetCurves;

int64_t widthOf(const TargetCurves& target) {
    return std::ssize(target.singular_values);
}

/// As core/subspace's rankOfEnergy(): summed from the largest on.
int64_t smallestRankOf(const std::vector<double>& energy, double share) {
    if (energy.empty() || energy.back() == 0)
        return 0;
    const auto found = std::lower_bound(energy.begin(), energy.end(), share);
    return std::min<int64_t>(found - energy.begin() + 1, std::ssize(energy));
}

std::vector<double> cumulativeEnergy(const std::vector<double>& singular_values) {
    double total = 0;
    for (const double value : singular_values)
        total += value * value;
    std::vector<double> energy;
    energy.reserve(singular_values.size());
    double sum = 0;
    for (const double value : singular_values) {
        sum += value * value;
        energy.push_back(total > 0 ? std::min(1.0, sum / total) : 0);
    }
    return energy;
}

int64_t askedRank(const RankChoice& choice, const TargetCurves& target) {
    const auto by_hand = choice.by_hand.find({target.target, target.head});
    if (by_hand != choice.by_hand.end())
        return by_hand->second;
    switch (choice.rule) {
        case RankChoice::Rule::half_dim:
            return std::max<int64_t>(1, widthOf(target) / 2);
        case RankChoice::Rule::half_numeric:
            return std::max<int64_t>(1, target.numeric_rank / 2);
        case RankChoice::Rule::energy:
            return smallestRankOf(cumulativeEnergy(target.singular_values), choice.energy);
        case RankChoice::Rule::fixed:
            break;
    }
    return choice.fixed;
}

}  // namespace

std::string RankChoice::ruleText() const {
    switch (rule) {
        case Rule::half_dim:
            return "half_dim";
        case Rule::half_numeric:
            return "half_numeric";
        case Rule::energy:
            return fmt::format("energy:{}", energy);
        case Rule::fixed:
            break;
    }
    return std::to_string(fixed);
}

int64_t rankOf(const RankChoice& choice, const TargetCurves& target) {
    return std::clamp<int64_t>(askedRank(choice, target), 0, target.numeric_rank);
}

bool isClipped(const RankChoice& choice, const TargetCurves& target) {
    return askedRank(choice, target) > target.numeric_rank;
}

SubspaceFigures::SubspaceFigures(protocol::SubspaceCurves curves) : curves_(std::move(curves)) {
    for (const TargetCurves& target : curves_.targets)
        energy_.push_back(cumulativeEnergy(target.singular_values));
}

RankFigures SubspaceFigures::at(size_t index, int64_t rank) const {
    const TargetCurves& target = curves_.targets[index];
    const int64_t width = widthOf(target);
    const int64_t r = std::clamp<int64_t>(rank, 0, width);
    if (r == 0)
        return {};
    const auto last = static_cast<size_t>(r - 1);
    const double next = r < width ? target.singular_values[last + 1] : 0;
    return {.rank = r,
            .energy = energy_[index][last],
            .gap = next > 0 ? target.singular_values[last] / next : std::numeric_limits<double>::infinity(),
            .overlap = target.split_half_overlap[last],
            .chance = static_cast<double>(r) / static_cast<double>(width),
            .arbitrary = std::max<int64_t>(0, r - target.numeric_rank)};
}

int64_t SubspaceFigures::rankOfEnergy(size_t index, double share) const {
    return smallestRankOf(energy_[index], share);
}

std::string ranksAsRule(const SubspaceFigures& figures, const std::vector<size_t>& targets,
                        const RankChoice& choice) {
    std::string rule;
    for (const size_t target : targets)
        rule += fmt::format("{}{}={}", rule.empty() ? "" : ",", toText(figures.target(target).target),
                            rankOf(choice, figures.target(target)));
    return rule;
}

std::vector<int64_t> lastMid(const protocol::SubspaceCurves& curves) {
    std::vector<int64_t> layers;
    for (const int64_t layer : {curves.num_hidden_layers / 2 - 1, curves.num_hidden_layers - 1})
        if (std::binary_search(curves.layers.begin(), curves.layers.end(), layer) &&
            (layers.empty() || layers.back() != layer))
            layers.push_back(layer);
    return layers;
}

}  // namespace spd
