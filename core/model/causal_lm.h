#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/io/checkpoint.h"

namespace at {
class Tensor;
}

namespace spd {

struct ForwardSeams;
struct ModelWeights;

/// Token ids of B sequences, each padded on the right to T with any id of the vocabulary. Attention is
/// causal, so nothing that stands before the padding sees it.
struct TokenBatch {
    int64_t rows = 0;          ///< B
    int64_t columns = 0;       ///< T
    std::vector<int32_t> ids;  ///< [B, T], row-major
};

/// The language model as it is written down: Qwen2, Qwen3 and Llama in LibTorch operations, the differences
/// taken from ModelConfig; operation by operation as transformers computes it. It is differentiable and
/// unhurried; generation runs PackedLm (core/model/packed_lm.h). Thread-safe as long as the weights are not
/// changed.
class CausalLm {
public:
    /// @param dtype  what weights are converted to and computed in; norms and softmax run in float32.
    /// @throws Error io, out_of_memory; Cancelled
    static CausalLm load(const Checkpoint& checkpoint, DType dtype, const JobContext& context);

    CausalLm(CausalLm&&) noexcept;
    CausalLm& operator=(CausalLm&&) noexcept;
    ~CausalLm();

    const ModelConfig& config() const;
    DType dtype() const;
    /// Changing them is the caller's right (gradients, adapters); core/model/weights_torch.h.
    ModelWeights& weights();
    const ModelWeights& weights() const;

    /// The residual stream after the final norm. Records gradients where the weights require them and the
    /// thread's gradient mode is on.
    /// @return [B, T, hidden_size], compute dtype
    /// @throws Error invalid_argument (B or T is 0, T above max_position_embeddings, an id outside the
    /// vocabulary), out_of_memory; Cancelled
    at::Tensor hiddenStates(const TokenBatch& batch, const JobContext& context) const;
    /// The same, looked into or changed by `seams` (core/model/seams_torch.h).
    at::Tensor hiddenStates(const TokenBatch& batch, const ForwardSeams& seams,
                            const JobContext& context) const;

    /// The head: [..., hidden_size] -> [..., vocab_size], compute dtype. Give it only the positions whose
    /// logits are wanted: they are as wide as the vocabulary.
    at::Tensor logits(const at::Tensor& hidden_states) const;

    /// Logits of every position without gradients, for callers that do not see LibTorch.
    /// @return [B, T, vocab_size], float32.   @throws Error as hiddenStates()
    std::vector<float> logits(const TokenBatch& batch, const JobContext& context) const;

private:
    struct Impl;
    explicit CausalLm(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Threads that LibTorch computes with from now on; for the whole process.
void setTorchThreads(int threads);

}  // namespace spd
