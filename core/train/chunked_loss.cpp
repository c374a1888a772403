#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>

#include <algorithm>

#include "core/train/chunked_loss_torch.h"

namespace spd {

int64_t chunkRows(int64_t vocab_size) {
    return std::clamp<int64_t>(kLogitBytes / (4 * vocab_size), 16, 1024);
}

ChunkedLoss chunkedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head,
                                std::span<const int32_t> targets, std::optional<double> gradient_scale,
                                const JobContext& context) {
    const at::NoGradGuard by_hand;
    ChunkedLoss loss;
    if (gradient_scale)
        loss.gradient = at::empty_like(hidden);
    const int64_t rows = hidden.size(0);
    const int64_t most = chunkRows(head.size(0));
    for (int64_t begin = 0; begin < rows; begin += most) {
        context.checkStop();
        const int64_t count = std::min(most, rows - begin);
        const at::Tensor wanted =
            at::from_blob(const_cast<int32_t*>(targets.data()) + begin, {count, 1}, at::kInt).to(at::kLong);
        at::Tensor scores = at::linear(hidden.narrow(0, begin, count), head).to(at::kFloat);
        const at::Tensor normalizer = at::logsumexp(scores, -1, /*keepdim=*/true);
        loss.nll += (normalizer - scores.gather(1, wanted)).sum(at::kDouble).item<double>();
        if (!gradient_scale)
            continue;
        scores.sub_(normalizer).exp_();  // softmax
        scores.scatter_add_(1, wanted, -at::ones({count, 1}, at::kFloat)).mul_(*gradient_scale);
        loss.gradient.narrow(0, begin, count).copy_(at::matmul(scores.to(head.scalar_type()), head));
    }
    return loss;
}

}  // namespace spd
