#include "core/export/logit_check.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

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

std::vector<float> logitsOf(const CausalLm& model, const Intervention& intervention,
                            const JobContext& context) {
    const at::NoGradGuard no_gradients;
    return translateTorchErrors([&] {
        const TokenBatch tokens = fewTokens(model.config());
        const ForwardSeams seams = interventionSeams(model, intervention, tokens.columns / 2);
        const at::Tensor logits =
            model.logits(model.hiddenStates(tokens, seams, context)).to(at::kFloat).contiguous();
        const float* values = logits.const_data_ptr<float>();
        return std::vector<float>(values, values + logits.numel());
    });
}

LogitCheck compare(const std::vector<float>& expected, const std::vector<float>& found, DType dtype) {
    double largest = 1;
    double difference = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        if (!std::isfinite(expected[i]) || !std::isfinite(found[i]))
            throw Error(ErrorKind::internal, "logits that are not finite while the export was compared");
        largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
        difference =
            std::max(difference, std::abs(static_cast<double>(expected[i]) - static_cast<double>(found[i])));
    }
    return {dtype, difference / largest};
}

}  // namespace

DType logitCheckType(const ModelConfig& config) {
    const auto bytes = [&](DType dtype) { return forecastMemory(config, {.dtype = dtype}).weights; };
    if (bytes(DType::float32) <= readMachine().memory_available)
        return DType::float32;
    requireMemory(bytes(DType::bfloat16), "the comparison of logits", "");
    return DType::bfloat16;
}

std::optional<CheckModel> openCheckModel(const std::filesystem::path& folder, bool required,
                                         std::string& why_not, const JobContext& context) {
    try {
        Checkpoint checkpoint = Checkpoint::open(folder, context);
        const DType dtype = logitCheckType(checkpoint.config());
        return CheckModel{std::move(checkpoint), dtype};
    } catch (const Error& error) {
        const bool is_absent =
            error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::out_of_memory;
        if (required || !is_absent)
            throw;
        why_not = error.what();
        return std::nullopt;
    }
}

LogitCheck compareLogits(const Checkpoint& base, const Intervention& intervention,
                         const std::filesystem::path& merged, DType dtype, const JobContext& context) {
    const auto logits = [&](const Checkpoint& checkpoint, const Intervention& with) {
        return logitsOf(CausalLm::load(checkpoint, dtype, context), with, context);
    };
    context.report({"compare logits", 0, 2, 0});
    const std::vector<float> expected = logits(base, intervention);
    context.report({"compare logits", 1, 2, 0});
    const std::vector<float> found = logits(Checkpoint::open(merged, context), {});
    context.report({"compare logits", 2, 2, 0});
    return compare(expected, found, dtype);
}

LogitCheck compareLogits(const CheckModel& model, const Intervention& before, const Intervention& after,
                         const JobContext& context) {
    context.report({"compare logits", 0, 2, 0});
    const CausalLm loaded = CausalLm::load(model.checkpoint, model.dtype, context);
    const std::vector<float> expected = logitsOf(loaded, before, context);
    context.report({"compare logits", 1, 2, 0});
    const std::vector<float> found = logitsOf(loaded, after, context);
    context.report({"compare logits", 2, 2, 0});
    return compare(expected, found, model.dtype);
}

void requireSameLogits(const LogitCheck& check, const std::string& what) {
    constexpr double most_difference = 2e-4;
    if (check.dtype == DType::float32 && !(check.difference <= most_difference))
        throw Error(ErrorKind::internal,
                    fmt::format("the logits of {} by {:.2g} of the largest", what, check.difference));
}

}  // namespace spd
