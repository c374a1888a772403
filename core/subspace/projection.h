#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/subspace/subspace.h"

namespace spd {

/// At which positions a projection acts. The cache holds projected K and V.
enum class ProjectWhen {
    all,           ///< prompt and new tokens
    decode_only,   ///< positions >= prompt length
    prefill_only,  ///< positions < prompt length
};

enum class ProjectApply {
    folded,      ///< W' = M W, b' = M b, product in float64, rounded once; site `proj` only
    activation,  ///< an explicit product per token
};

enum class ProjectControl { none, complement, random };

/// Which directions a projection keeps and how strongly (design: the intervention options).
struct ProjectionSettings {
    /// "last_mid", "all" or "I,J"; empty: those measured, or last_mid when all were.
    std::string layers = "";
    /// "half_dim", "half_numeric", "energy:T", "R" or "file:F"; empty: half_dim.
    std::string rank_rule = "";
    std::string project = "both";  ///< "both", "k" or "v"
    double strength = 1;           ///< a of M = I - a (I - Q)
    ProjectControl control = ProjectControl::none;
    uint64_t control_seed = 0;  ///< of `random`
    ProjectWhen when = ProjectWhen::all;
    /// Nothing: folded where the site allows it, else activation.
    std::optional<ProjectApply> apply = std::nullopt;
    bool allow_arbitrary = false;  ///< a fixed rank may lie above the numeric rank
};

/// "none", "complement" or "random:SEED"; nothing for other texts.
std::optional<std::pair<ProjectControl, uint64_t>> parseControl(std::string_view text);
/// "all", "decode_only" or "prefill_only"; nothing for other texts.
std::optional<ProjectWhen> parseProjectWhen(std::string_view text);
/// "folded" or "activation"; nothing for other texts.
std::optional<ProjectApply> parseProjectApply(std::string_view text);

/// M of one target: a row K (or V) becomes K M^T; M is symmetric.
struct ProjectionMap {
    std::vector<int64_t> ranks;  ///< of Q as asked for and clipped; one, or one a KV head
    Eigen::MatrixXd map;  ///< M = I - a (I - Q), [d, d]; block-diagonal where heads have their own basis
};

/// Paper Eq. 10 to 12, ready to be applied: pure data.
struct Projection {
    KvSite site = KvSite::proj;  ///< of K
    ProjectWhen when = ProjectWhen::all;
    ProjectApply apply = ProjectApply::folded;
    std::map<KvTarget, ProjectionMap> maps;
    std::vector<std::string> warnings;  ///< clipped ranks and the like, one line each
    /// Settings, ranks and the subspace's hash: what a corpus records, equal for equal projections.
    nlohmann::ordered_json record;
};

/// What a projection keeps, before any matrix is built.
struct SelectedRanks {
    std::vector<int64_t> layers;
    ProjectApply apply = ProjectApply::folded;
    std::map<KvTarget, std::vector<int64_t>> ranks;  ///< ProjectionMap::ranks
    std::vector<std::string> warnings;               ///< Projection::warnings
    std::string rank_rule;                           ///< as the record names it
};

/// The cheap part of selectProjection(): needs singular values and ranks alone.
/// @throws Error as selectProjection()
SelectedRanks selectRanks(const Subspace& subspace, const ProjectionSettings& settings);

/// Picks layers and ranks and builds every M (paper Eq. 10, 11).
/// @param subspace_sha256  of the files that the subspace was read from; goes into the record.
/// @throws Error invalid_argument naming the option: layers that were not measured, a rank out of [1, w] or
/// above the numeric rank without allow_arbitrary, a gradient that is zero everywhere, folded with a site
/// that cannot be folded, an unknown rule; not_found, io, file_format for a rank file
Projection selectProjection(const Subspace& subspace, const std::string& subspace_sha256,
                            const ProjectionSettings& settings);

/// "last_mid" -> {floor(L/2) - 1, L - 1}, "all", or "I,J" (ascending, unique, 0 <= I < L).
/// @throws Error invalid_argument
std::vector<int64_t> parseLayers(const std::string& text, int64_t num_hidden_layers);

}  // namespace spd
