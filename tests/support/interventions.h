#pragma once

#include <cstdint>
#include <vector>

#include "core/intervene/intervention.h"

namespace spd::test {

enum class Keep { subspace, complement };

/// M = I - a (I - Q), Q = V V^T (or I - V V^T) of a random orthonormal V [d, rank], by a QR decomposition:
/// not the way that core/subspace takes.
Eigen::MatrixXd projectionMap(int64_t d, int64_t rank, double strength, Keep keep, uint32_t seed);

/// The same for each of `heads` heads on its own: block-diagonal [heads x width, heads x width].
Eigen::MatrixXd perHeadMap(int64_t heads, int64_t width, int64_t rank, uint32_t seed);

/// Projects K and V of these layers, each with its own random map.
struct ProjectionPlan {
    std::vector<int64_t> layers = {0, 2};
    int64_t rank = 5;
    double strength = 1;
    Keep keep = Keep::subspace;
    KvSite site = KvSite::proj;
    ProjectWhen when = ProjectWhen::all;
    ProjectApply apply = ProjectApply::folded;
    uint32_t seed = 1;
};
Projection randomProjection(const ModelConfig& config, const ProjectionPlan& plan);

/// LoRA on q, k, v and o of every layer, r different from linear to linear, with entries large enough to
/// matter.
LoraAdapter randomAdapter(const ModelConfig& config, uint32_t seed);

}  // namespace spd::test
