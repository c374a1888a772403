#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/io/adapter.h"
#include "core/io/model_config.h"
#include "core/subspace/projection.h"

namespace spd {

/// What may differ between two sequences that one resident model computes: a projection of K and V (paper
/// Eq. 12), a LoRA adapter, or both; nothing is the base model. A value: by itself it changes no model.
///
/// It acts only where it is handed to a computation, for as long as that lasts: as ForwardSeams in one call
/// of CausalLm::hiddenStates() (core/intervene/intervention_seams_torch.h), or as PackedInterventions in one
/// call of PackedLm::step(). No weight of a model is ever changed by it and nothing is global, so what is
/// given no intervention runs on the base model.
///
/// With both, the map acts on the projection's output with LoRA in it: W' = M W, b' = M b, B' = M B.
struct Intervention {
    std::optional<Projection> projection;
    std::optional<LoraAdapter> adapter;

    bool isNone() const { return !projection && !adapter; }
};

/// Whether a model of this config can compute it.
/// @throws Error invalid_argument: a layer, map or LoRA matrix that does not fit the model, entries that are
/// not finite, post_norm without k_norm, K folded at another site than proj
void checkFits(const Intervention& intervention, const ModelConfig& config);

/// What an artifact made with it records: "projection" (Projection::record) and "adapter" (rank, alpha,
/// modules, SHA-256 of the values), each where it is there. Equal for equal interventions.
nlohmann::ordered_json recordOf(const Intervention& intervention);

/// One line for people: "projection folded at 11.k, 11.v; adapter r 8 on 120 linears"; "none".
std::string describe(const Intervention& intervention);

}  // namespace spd
