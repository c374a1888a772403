#include "core/pipeline/forward.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/base/seconds_since.h"
#include "core/data/json_lines.h"
#include "core/data/prompts.h"
#include "core/intervene/intervention_seams_torch.h"
#include "core/io/memory_forecast.h"
#include "core/io/safetensors/writer.h"
#include "core/model/causal_lm.h"
#include "core/model/torch_errors_torch.h"
#include "core/pipeline/session.h"

namespace spd {
namespace {

/// Logits computed between two looks at the stop token, in elements: 16 MiB of float32.
constexpr int64_t kPiece = int64_t{1} << 22;

/// @throws rowError()
void check(const IdsRow& row, const ModelConfig& config) {
    if (static_cast<int64_t>(row.ids.size()) > config.max_position_embeddings)
        throw rowError(fmt::format("{} ids, the model has {} positions", row.ids.size(),
                                   config.max_position_embeddings));
    for (size_t i = 0; i < row.ids.size(); ++i)
        if (row.ids[i] < 0 || row.ids[i] >= config.vocab_size)
            throw rowError(fmt::format("id {} at index {} is outside the vocabulary of {}", row.ids[i], i,
                                       config.vocab_size));
}

std::vector<TensorInfo> announce(const std::vector<IdsRow>& sequences, const ModelConfig& config) {
    std::vector<TensorInfo> tensors;
    for (const IdsRow& sequence : sequences)
        tensors.push_back({fmt::format("logits.{}", sequence.line),
                           ElementType::f32,
                           {static_cast<int64_t>(sequence.ids.size()), config.vocab_size}});
    return tensors;
}

void appendLogits(const CausalLm& model, const IdsRow& sequence, const ForwardSeams& seams,
                  SafetensorsWriter& writer, const JobContext& context) {
    const auto length = static_cast<int64_t>(sequence.ids.size());
    const TokenBatch batch = {1, length, {sequence.ids.begin(), sequence.ids.end()}};
    const at::Tensor hidden_states = model.hiddenStates(batch, seams, context)[0];
    const int64_t rows = std::max<int64_t>(1, kPiece / model.config().vocab_size);
    for (int64_t first = 0; first < length; first += rows) {
        context.checkStop();
        const at::Tensor piece = hidden_states.narrow(0, first, std::min(rows, length - first));
        const at::Tensor logits = model.logits(piece).to(at::kFloat).contiguous();
        writer.append(logits.const_data_ptr(), static_cast<uint64_t>(logits.numel()) * sizeof(float));
    }
}

std::map<std::string, std::string> metadataOf(const Intervention& intervention) {
    std::map<std::string, std::string> metadata = {{"format", "pt"}};
    if (!intervention.isNone())
        metadata["intervention"] = recordOf(intervention).dump();
    return metadata;
}

using Clock = std::chrono::steady_clock;

}  // namespace

ForwardSummary writeLogits(const ForwardRequest& request, const JobContext& context) {
    const Clock::time_point start = Clock::now();
    const Checkpoint checkpoint = Checkpoint::open(request.folder, context);
    const std::vector<IdsRow> sequences =
        readIds(request.ids, [&](const IdsRow& row) { check(row, checkpoint.config()); });
    const Intervention intervention = openIntervention(request.intervention, checkpoint, request.on_warning);
    requireMemory(forecastMemory(checkpoint.config(), {.dtype = request.dtype}).weights, "forward",
                  request.dtype == DType::float32 ? "--dtype bfloat16 needs half" : "");
    SafetensorsWriter writer(request.out, announce(sequences, checkpoint.config()), metadataOf(intervention));
    const CausalLm model = CausalLm::load(checkpoint, request.dtype, context);

    ForwardSummary summary = {.vocab_size = checkpoint.config().vocab_size,
                              .intervention = describe(intervention),
                              .intervention_record = recordOf(intervention),
                              .open_seconds = secondsSince(start)};
    const Clock::time_point opened = Clock::now();
    const at::NoGradGuard no_gradients;
    const FoldedIntervention folded(model, intervention);
    for (const IdsRow& sequence : sequences) {
        translateTorchErrors(
            [&] { appendLogits(model, sequence, folded.seams(sequence.prompt_length), writer, context); });
        summary.tokens += static_cast<int64_t>(sequence.ids.size());
        ++summary.sequences;
        context.report({"forward", summary.sequences, static_cast<int64_t>(sequences.size()), 0});
    }
    writer.commit();
    summary.compute_seconds = secondsSince(opened);
    return summary;
}

}  // namespace spd
