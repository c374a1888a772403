#include "tests/support/subspaces.h"

#include <random>
#include <string>

#include "core/subspace/spectrum.h"

namespace spd::test {

Eigen::MatrixXd randomGradients(int64_t rows, int64_t width, int64_t rank, uint32_t seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    const auto random = [&](int64_t m, int64_t n) {
        Eigen::MatrixXd matrix(m, n);
        for (double& value : matrix.reshaped())
            value = normal(generator);
        return matrix;
    };
    const Eigen::VectorXd spread =
        Eigen::VectorXd::LinSpaced(rank, 1, static_cast<double>(rank)).cwiseInverse();
    return random(rows, rank) * spread.asDiagonal() * random(rank, width);
}

Subspace randomSubspace(const SubspacePlan& plan) {
    Subspace subspace;
    subspace.model_id = "made/up";
    subspace.config_sha256 = std::string(64, 'a');
    subspace.tokenizer_sha256 = std::string(64, 'b');
    subspace.site = plan.site;
    subspace.per_head = plan.per_head;
    subspace.loss = "aligned";
    subspace.num_hidden_layers = plan.num_hidden_layers;
    subspace.layers = plan.layers;
    subspace.examples = {{int64_t{7}, 2, 40, 1.25}, {std::string("gsm8k/train/\"1\""), 1, 60, 0.1}};
    const int64_t bases = plan.per_head ? plan.heads : 1;
    const int64_t width = plan.per_head ? plan.head_dim : plan.heads * plan.head_dim;
    const int64_t rank = plan.numeric_rank > 0 ? plan.numeric_rank : width;
    uint32_t seed = 1000 * plan.seed;
    for (const int64_t layer : plan.layers)
        for (const KvStream stream : {KvStream::k, KvStream::v}) {
            TargetSubspace& target = subspace.targets[{layer, stream}];
            target.rows = 100;
            target.nonzero_rows = 99;
            for (int64_t head = 0; head < bases; ++head) {
                const Eigen::MatrixXd g = randomGradients(100, width, rank, ++seed);
                target.heads.push_back(spectrumOf(g.topRows(50).transpose() * g.topRows(50),
                                                  g.bottomRows(50).transpose() * g.bottomRows(50)));
            }
        }
    return subspace;
}

}  // namespace spd::test
