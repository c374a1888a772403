#pragma once

#include <nlohmann/json.hpp>

#include "core/subspace/projection.h"

namespace spd {

// What a window draws of a subspace; numbers have nine significant digits. A target is K or V of a layer, or
// of one head of it.

/// {"model","revision","site","per_head","loss","dtype","num_hidden_layers","layers","examples": number,
/// "targets":[{"target","layer","stream","head" (null without per_head),"rows","nonzero_rows","numeric_rank",
/// "effective_rank","stable_rank","singular_values":[w],"split_half_overlap":[w]}]}
nlohmann::ordered_json curvesJson(const Subspace& subspace);

/// What a projection would keep: {"layers","apply","rank_rule","warnings","targets":[{"target","layer",
/// "stream","head","width","rank","kept_energy","gap" (null at full rank and where s_(r+1) is 0),
/// "split_half_overlap","chance","effective_rank","numeric_rank","arbitrary"}]}
/// `arbitrary`: kept directions past the numeric rank.
nlohmann::ordered_json rankTableJson(const Subspace& subspace, const SelectedRanks& selected);

/// Angles in degrees, nine significant digits. @param angles  in radians.
nlohmann::ordered_json anglesJson(const Eigen::VectorXd& angles);

}  // namespace spd
