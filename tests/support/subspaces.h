#pragma once

#include <cstdint>
#include <vector>

#include "core/subspace/subspace.h"

namespace spd::test {

/// What a made-up calibration measured.
struct SubspacePlan {
    int64_t num_hidden_layers = 4;
    std::vector<int64_t> layers = {1, 3};
    int64_t heads = 2;
    int64_t head_dim = 6;  ///< d is heads x head_dim
    bool per_head = false;
    KvSite site = KvSite::proj;
    int64_t numeric_rank = 0;  ///< of every spectrum; 0: full
    uint32_t seed = 1;
};

/// Rows of a gradient matrix with singular values about 1/i, [rows, width], of the given rank.
Eigen::MatrixXd randomGradients(int64_t rows, int64_t width, int64_t rank, uint32_t seed);

/// Spectra of randomGradients(), the rest filled in.
Subspace randomSubspace(const SubspacePlan& plan);

}  // namespace spd::test
