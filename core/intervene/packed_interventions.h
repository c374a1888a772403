#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/intervene/intervention.h"
#include "core/intervene/packed_lora.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/thread_pool.h"

namespace spd {

struct PackedWeights;

/// What one layer does otherwise than the base model; everything empty where it does the same.
struct LayerVariant {
    /// Takes the place of the rows of qkv from firstReplacedRow() on: k and v, what is projected folded.
    std::optional<PackedMatrix> kv;
    std::vector<float> qkv_bias;  ///< with `kv`, of the whole of qkv; empty where the family has none
    std::shared_ptr<const PackedLora> qkv_lora;
    std::shared_ptr<const PackedLora> o_lora;
    std::optional<PackedMatrix> k_map;  ///< [d, d], float32: a row K becomes M K at the variant's site
    std::optional<PackedMatrix> v_map;  ///< the same at v_proj

    const float* qkvBias() const { return qkv_bias.empty() ? nullptr : qkv_bias.data(); }
};

/// How some rows are computed: the layers of an intervention with its projection on, or off.
struct ModelVariant {
    KvSite site = KvSite::proj;  ///< of k_map
    std::vector<LayerVariant> layers;
};

/// First row of qkv that `LayerVariant::kv` holds: that of k, down to a whole block of 16 (the rows of q
/// below it in that block are copies).
int64_t firstReplacedRow(const ModelConfig& config);

/// Interventions made ready for one PackedLm: folded weights, packed LoRA and maps beside the base model,
/// which is there once and is not changed. They act in the calls of step() that they are handed to and
/// nowhere else. Immutable; movable.
class PackedInterventions {
public:
    static constexpr int32_t kNone = -1;  ///< index of the base model

    /// None: every row is the base model's.
    PackedInterventions() = default;
    /// Use PackedLm::prepare().
    /// @throws Error as checkFits(), out_of_memory; Cancelled
    PackedInterventions(const ModelConfig& config, DType dtype, const PackedWeights& weights,
                        std::span<const Intervention> interventions, ThreadPool& pool,
                        const JobContext& context);

    int64_t size() const { return static_cast<int64_t>(entries_.size()); }
    /// What a row is computed with; nullptr for the base model.
    /// @param intervention  kNone, or the position in the list that this was made of.
    /// @param in_prompt  whether the row stands before the prompt's end (ProjectWhen).
    /// @throws Error internal  no such intervention
    const ModelVariant* variant(int32_t intervention, bool in_prompt) const;

    /// Memory taken beside the base model.
    int64_t bytes() const;

private:
    struct Entry {
        std::shared_ptr<const ModelVariant> in_prompt;  // nullptr: base model
        std::shared_ptr<const ModelVariant> after_prompt;
    };
    std::vector<Entry> entries_;
};

}  // namespace spd
