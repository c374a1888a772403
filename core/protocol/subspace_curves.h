#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/subspace/subspace.h"

namespace spd::protocol {

/// What a window draws of one target: numbers for every rank, no d x d matrix. `w` is d, or head_dim where
/// each head has a basis of its own.
struct TargetCurves {
    KvTarget target;
    int64_t head = 0;                        ///< KV head; 0 where all share a basis
    std::vector<double> singular_values;     ///< [w], descending
    std::vector<double> split_half_overlap;  ///< [w]: entry r - 1 is that of rank r
    int64_t rows = 0;
    int64_t nonzero_rows = 0;
    int64_t numeric_rank = 0;
    double effective_rank = 0;
    double stable_rank = 0;
};

/// A calibration as PROTOCOL.md's subspace.curves answers it.
struct SubspaceCurves {
    std::string path;  ///< of its folder, the engine's
    std::string model;
    std::string site;
    std::string loss;
    std::string dtype;
    bool per_head = false;
    int64_t num_hidden_layers = 0;
    int64_t examples = 0;
    std::vector<int64_t> layers;        ///< measured, ascending
    std::vector<TargetCurves> targets;  ///< by layer, K before V, then by head

    /// @throws Refusal invalid_params: what is missing, of another type or of another length than the rest
    static SubspaceCurves fromJson(const nlohmann::ordered_json& json);
};

}  // namespace spd::protocol
