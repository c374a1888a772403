#include "core/export/merged/logit_check.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/base/machine.h"
#include "core/intervene/intervention_seams_torch.h"
#include "core/io/memory_forecast.h"
#include "core/model/causal_lm.h"
#include "core/model/torch_errors_torch.h"
#include "core/pipeline/session.h"

namespace spd {
namespace {

/// A few ids from all over the vocabulary.
TokenBatch fewTokens(const ModelConfig& config) {
    constexpr int64_t kTokens = 16;
    constexpr int64_t kStep = 7919;  // a prime
    TokenBatch batch = {1, std::min(kTokens, config.max_position_embeddings), {}};
    for (int64_t i = 1; i <= batch.columns; ++i)
        batch.ids.push_back(static_cast<int32_t>(i * kStep % config.vocab_size));
    return batch;
}

std::vector<float> logitsOf(const Checkpoint& checkpoint, const Intervention& intervention, DType dtype,
                            const JobContext& context) {
    const CausalLm model = CausalLm::load(checkpoint, dtype, context);
    const at::NoGradGuard no_gradients;
    return translateTorchErrors([&] {
        const ForwardSeams seams = interventionSeams(model, intervention);
        const at::Tensor logits =
            model.logits(model.hiddenStates(fewTokens(checkpoint.config()), seams, context))
                .to(at::kFloat)
                .contiguous();
        const float* values = logits.const_data_ptr<float>();
        return std::vector<float>(values, values + logits.numel());
    });
}

}  // namespace

DType logitCheckType(const ModelConfig& config) {
    const auto bytes = [&](DType dtype) { return forecastMemory(config, {.dtype = dtype}).weights; };
    if (bytes(DType::float32) <= readMachine().memory_available)
        return DType::float32;
    requireMemory(bytes(DType::bfloat16), "the comparison of the merged model", "");
    return DType::bfloat16;
}

LogitCheck compareLogits(const Checkpoint& base, const Intervention& intervention,
                         const std::filesystem::path& merged, DType dtype, const JobContext& context) {
    context.report({"compare logits", 0, 2, 0});
    const std::vector<float> expected = logitsOf(base, intervention, dtype, context);
    context.report({"compare logits", 1, 2, 0});
    const std::vector<float> found = logitsOf(Checkpoint::open(merged, context), {}, dtype, context);
    double largest = 1;
    double difference = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        if (!std::isfinite(expected[i]) || !std::isfinite(found[i]))
            throw Error(ErrorKind::internal,
                        "logits that are not finite while the merged model was compared");
        largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
        difference =
            std::max(difference, std::abs(static_cast<double>(expected[i]) - static_cast<double>(found[i])));
    }
    context.report({"compare logits", 2, 2, 0});
    return {dtype, difference / largest};
}

}  // namespace spd
