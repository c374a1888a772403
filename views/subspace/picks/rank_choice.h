#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol/subspace_curves.h"

namespace spd {

// What the Subspace page computes while a cursor is dragged: pure functions of the curves, no widget.

/// How many directions are kept (the rank rules of the command line), with single targets set by hand.
struct RankChoice {
    enum class Rule { half_dim, half_numeric, energy, fixed };
    Rule rule = Rule::half_dim;
    double energy = 0.99;                                     ///< with Rule::energy: share in (0, 1]
    int64_t fixed = 0;                                        ///< with Rule::fixed: >= 1
    std::map<std::pair<KvTarget, int64_t>, int64_t> by_hand;  ///< (target, head): rank; goes before the rule

    bool operator==(const RankChoice&) const = default;
    /// As --rank-rule takes it: "half_dim", "half_numeric", "energy:0.99", "64".
    std::string ruleText() const;
};

/// The rank that is used: what the rule asks for, clipped to the numeric rank; 0 when the gradient is zero.
int64_t rankOf(const RankChoice& choice, const protocol::TargetCurves& target);
/// The rule asked for more than there is.
bool isClipped(const RankChoice& choice, const protocol::TargetCurves& target);

/// One target at rank r. `r` from 1 to w; everything is 0 at r = 0.
struct RankFigures {
    int64_t rank = 0;
    double energy = 0;      ///< share of the sum of squares in the first r singular values
    double gap = 0;         ///< s_r / s_(r+1); infinite where s_(r+1) is 0 or r = w
    double overlap = 0;     ///< of the halves of the examples
    double chance = 0;      ///< r / w: what two random subspaces have
    int64_t arbitrary = 0;  ///< of the r directions, those past the numeric rank
};

/// Curves with what is asked of them again and again: cumulative energy. Built once when they arrive.
class SubspaceFigures {
public:
    explicit SubspaceFigures(protocol::SubspaceCurves curves);

    const protocol::SubspaceCurves& curves() const { return curves_; }
    size_t size() const { return curves_.targets.size(); }
    const protocol::TargetCurves& target(size_t index) const { return curves_.targets[index]; }
    /// [w], ascending to 1; all 0 where the gradient is zero.
    const std::vector<double>& energy(size_t index) const { return energy_[index]; }

    RankFigures at(size_t index, int64_t rank) const;
    /// Smallest r with energy >= share; 0 when the gradient is zero.
    int64_t rankOfEnergy(size_t index, double share) const;

private:
    protocol::SubspaceCurves curves_;
    std::vector<std::vector<double>> energy_;
};

/// "11.k=64,11.v=41": the ranks of these targets as a rank rule. Not for bases per head.
std::string ranksAsRule(const SubspaceFigures& figures, const std::vector<size_t>& targets,
                        const RankChoice& choice);

/// "last_mid": {floor(L/2) - 1, L - 1}, of those the measured ones.
std::vector<int64_t> lastMid(const protocol::SubspaceCurves& curves);

}  // namespace spd
