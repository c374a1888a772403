#include "core/model/causal_lm.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <fmt/format.h>

#include "core/model/decoder_layer_torch.h"
#include "core/model/torch_errors_torch.h"

namespace spd {
namespace {

void check(const TokenBatch& batch, const ModelConfig& config) {
    const auto refuse = [](const std::string& rule) { throw Error(ErrorKind::invalid_argument, rule); };
    if (batch.rows < 1 || batch.columns < 1)
        refuse("there are no token ids");
    if (batch.columns > config.max_position_embeddings)
        refuse(fmt::format("{} tokens, the model has {} positions", batch.columns,
                           config.max_position_embeddings));
    if (static_cast<int64_t>(batch.ids.size()) != batch.rows * batch.columns)
        refuse(fmt::format("{} token ids do not fill {} x {}", batch.ids.size(), batch.rows, batch.columns));
    for (const int32_t id : batch.ids)
        if (id < 0 || id >= config.vocab_size)
            refuse(fmt::format("token id {} is outside the vocabulary of {}", id, config.vocab_size));
}

}  // namespace

struct CausalLm::Impl {
    ModelConfig config;
    DType dtype;
    ModelWeights weights;
};

CausalLm::CausalLm(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CausalLm::CausalLm(CausalLm&&) noexcept = default;
CausalLm& CausalLm::operator=(CausalLm&&) noexcept = default;
CausalLm::~CausalLm() = default;

CausalLm CausalLm::load(const Checkpoint& checkpoint, DType dtype, const JobContext& context) {
    return CausalLm(std::make_unique<Impl>(
        Impl{checkpoint.config(), dtype, loadModelWeights(checkpoint, dtype, context)}));
}

const ModelConfig& CausalLm::config() const {
    return impl_->config;
}
DType CausalLm::dtype() const {
    return impl_->dtype;
}
ModelWeights& CausalLm::weights() {
    return impl_->weights;
}
const ModelWeights& CausalLm::weights() const {
    return impl_->weights;
}

at::Tensor CausalLm::hiddenStates(const TokenBatch& batch, const JobContext& context) const {
    return hiddenStates(batch, ForwardSeams(), context);
}

at::Tensor CausalLm::hiddenStates(const TokenBatch& batch, const ForwardSeams& seams,
                                  const JobContext& context) const {
    check(batch, impl_->config);
    return translateTorchErrors([&] {
        const ModelConfig& config = impl_->config;
        const ModelWeights& weights = impl_->weights;
        // A copy: the embedding's gradient looks at the ids again, when the batch may be gone.
        const at::Tensor ids =
            at::from_blob(const_cast<int32_t*>(batch.ids.data()), {batch.rows, batch.columns}, at::kInt)
                .to(at::kLong);
        const Rotation rotation = rotationOf(config, batch.columns, scalarType(impl_->dtype));
        at::Tensor h = at::embedding(weights.embed_tokens, ids);
        for (size_t i = 0; i < weights.layers.size(); ++i) {
            context.checkStop();
            h = decoderLayer(config, weights.layers[i], rotation, seams, static_cast<int64_t>(i), h);
        }
        return rmsNorm(h, weights.norm, config.rms_norm_eps);
    });
}

at::Tensor CausalLm::logits(const at::Tensor& hidden_states) const {
    return translateTorchErrors([&] { return at::linear(hidden_states, impl_->weights.lm_head); });
}

std::vector<float> CausalLm::logits(const TokenBatch& batch, const JobContext& context) const {
    const at::NoGradGuard no_gradients;
    const at::Tensor hidden_states = hiddenStates(batch, context);
    return translateTorchErrors([&] {
        const at::Tensor all = logits(hidden_states).to(at::kFloat).contiguous();
        const auto* values = all.const_data_ptr<float>();
        return std::vector<float>(values, values + all.numel());
    });
}

void setTorchThreads(int threads) {
    at::set_num_threads(threads);
}

}  // namespace spd
