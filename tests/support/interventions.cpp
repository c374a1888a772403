#include "tests/support/interventions.h"

#include <Eigen/QR>
#include <cmath>
#include <random>

namespace spd::test {
namespace {

Eigen::MatrixXd randomMatrix(int64_t rows, int64_t columns, uint32_t seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    Eigen::MatrixXd matrix(rows, columns);
    for (double& value : matrix.reshaped())
        value = normal(generator);
    return matrix;
}

std::vector<float> randomValues(int64_t count, double spread, uint32_t seed) {
    const Eigen::MatrixXd values = spread * randomMatrix(count, 1, seed);
    return {values.data(), values.data() + count};
}

}  // namespace

Eigen::MatrixXd projectionMap(int64_t d, int64_t rank, double strength, Keep keep, uint32_t seed) {
    const Eigen::MatrixXd q = randomMatrix(d, d, seed).householderQr().householderQ();
    const Eigen::MatrixXd kept = q.leftCols(rank) * q.leftCols(rank).transpose();
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(d, d);
    return identity - strength * (keep == Keep::subspace ? Eigen::MatrixXd(identity - kept) : kept);
}

Eigen::MatrixXd perHeadMap(int64_t heads, int64_t width, int64_t rank, uint32_t seed) {
    Eigen::MatrixXd map = Eigen::MatrixXd::Zero(heads * width, heads * width);
    for (int64_t head = 0; head < heads; ++head)
        map.block(head * width, head * width, width, width) =
            projectionMap(width, rank, 1, Keep::subspace, seed + static_cast<uint32_t>(head));
    return map;
}

Projection randomProjection(const ModelConfig& config, const ProjectionPlan& plan) {
    Projection projection;
    projection.site = plan.site;
    projection.when = plan.when;
    projection.apply = plan.apply;
    uint32_t seed = 100 * plan.seed;
    for (const int64_t layer : plan.layers)
        for (const KvStream stream : {KvStream::k, KvStream::v})
            projection.maps[{layer, stream}] = {
                {plan.rank}, projectionMap(config.kvWidth(), plan.rank, plan.strength, plan.keep, ++seed)};
    projection.record = {{"seed", plan.seed}};
    return projection;
}

LoraAdapter randomAdapter(const ModelConfig& config, uint32_t seed) {
    LoraAdapter adapter;
    adapter.r = 3;
    adapter.lora_alpha = 4;
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
        for (const AttentionLinear linear : kAttentionLinears) {
            const int64_t r = 3 + static_cast<int64_t>(linear);
            const int64_t in = inWidth(config, linear);
            const int64_t out = outWidth(config, linear);
            adapter.modules.push_back({layer, linear, r, 4.0 / static_cast<double>(r),
                                       randomValues(r * in, 1 / std::sqrt(static_cast<double>(in)), ++seed),
                                       randomValues(out * r, 0.3, ++seed)});
        }
    return adapter;
}

}  // namespace spd::test
