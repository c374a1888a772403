#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/io/checkpoint.h"
#include "core/kernels/kernel_table.h"
#include "core/kernels/thread_pool.h"
#include "core/model/kv_cache.h"

namespace spd {

struct Intervention;
class PackedInterventions;

/// One token to compute: where it stands and whether the next token's logits are wanted.
struct StepRow {
    int32_t token = 0;  ///< 0 <= token < vocab_size
    int64_t slot = 0;   ///< sequence in the cache
    /// 0-based; every earlier position of the slot is in the cache or in the same step.
    int64_t position = 0;
    bool wants_logits = false;
    bool in_prompt = true;      ///< or a new token: decides whether a projection acts (ProjectWhen)
    int32_t intervention = -1;  ///< index into the step's PackedInterventions; -1: the base model
};

/// The language model as generation runs it: CausalLm (core/model/causal_lm.h) without autograd, over packed
/// weights and our own kernels. Its bits for a row depend on the row's own sequence alone: not on the other
/// rows of a step, on how a prompt is cut into steps, or on the number of threads.
///
/// Precision: between linears everything is float32. With bfloat16 weights the input of a linear and the
/// cached K and V are rounded to bfloat16 and products are summed in float32; float16 rounds weights and the
/// cache only.
class PackedLm {
public:
    /// Reads and packs the weights of `checkpoint` with the pool's threads.
    /// @param pool  used for every step too; must outlive the model.
    /// @param isa  instruction set of the kernels.
    /// @throws Error io, out_of_memory; Cancelled
    static PackedLm load(const Checkpoint& checkpoint, DType dtype, ThreadPool& pool, Isa isa,
                         const JobContext& context);

    PackedLm(PackedLm&&) noexcept;
    PackedLm& operator=(PackedLm&&) noexcept;
    ~PackedLm();

    const ModelConfig& config() const;
    DType dtype() const;

    /// A cache for step(); `capacity` <= max_position_embeddings is the caller's duty.
    KvCache makeCache(int64_t slots, int64_t capacity);

    /// Folds and packs interventions for step(). They hold only what differs from this model; it stays as it
    /// is.   @throws Error invalid_argument (checkFits()), out_of_memory; Cancelled
    PackedInterventions prepare(std::span<const Intervention> interventions, const JobContext& context) const;

    /// Computes the rows, writes their K and V, and returns the logits of the rows that want them, in row
    /// order: [wanting rows, logitsStride()], float32, valid until the next step. Rows of one slot stand in
    /// rising position. Not thread-safe.
    /// @param interventions  of this model's prepare(); only rows that name one are changed by it. Rows of
    /// one step may name different ones: a row's bits stay those that it has alone.
    /// @throws Cancelled between two layers; the rows' slots are then of no more use.
    std::span<float> step(std::span<const StepRow> rows, KvCache& cache,
                          const PackedInterventions& interventions, const JobContext& context = {});
    /// The same where every row is the base model's.
    std::span<float> step(std::span<const StepRow> rows, KvCache& cache, const JobContext& context = {});

    /// Floats between the logits of two rows: vocab_size rounded up to 16; entries past vocab_size mean
    /// nothing.
    int64_t logitsStride() const;

private:
    struct Impl;
    explicit PackedLm(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace spd
