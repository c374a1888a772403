#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/job_context.h"

namespace spd {

struct ChunkedLoss {
    double nll = 0;       // sum over the rows of -log p(target), in nats
    at::Tensor gradient;  // of scale x nll by `hidden`, in its type; undefined where none was asked for
};

/// Bytes that one chunk's logits may take in float32.
inline constexpr int64_t kLogitBytes = int64_t{64} << 20;

/// Cross-entropy of the head without ever holding the logits of all rows: a chunk of rows at a time goes
/// through head, log-softmax (float32) and straight back (the head is frozen, so softmax - onehot times head
/// is all that is needed).
/// @param hidden  [N, hidden_size]: after the final norm.   @param head  [vocab_size, hidden_size].
/// @param targets  N ids of the vocabulary.
/// @param gradient_scale  nothing: no gradient.
/// @throws Cancelled, between chunks
ChunkedLoss chunkedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head,
                                std::span<const int32_t> targets, std::optional<double> gradient_scale,
                                const JobContext& context);

/// Rows of one chunk for a vocabulary.
int64_t chunkRows(int64_t vocab_size);

}  // namespace spd
