#include "core/pipeline/forward.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/data/json_lines.h"
#include "core/io/safetensors/writer.h"
#include "core/model/causal_lm.h"
#include "core/model/torch_errors_torch.h"

namespace spd {
namespace {

struct Sequence {
    int64_t line = 0;  ///< from 0
    std::vector<int32_t> ids;
};

/// Logits computed between two looks at the stop token, in elements: 16 MiB of float32.
constexpr int64_t kPiece = int64_t{1} << 22;

std::vector<int32_t> checkedIds(const std::vector<int64_t>& ids, const ModelConfig& config) {
    if (ids.empty())
        throw rowError("\"ids\" is empty");
    if (static_cast<int64_t>(ids.size()) > config.max_position_embeddings)
        throw rowError(
            fmt::format("{} ids, the model has {} positions", ids.size(), config.max_position_embeddings));
    for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] < 0 || ids[i] >= config.vocab_size)
            throw rowError(fmt::format("id {} at index {} is outside the vocabulary of {}", ids[i], i,
                                       config.vocab_size));
    return {ids.begin(), ids.end()};
}

std::vector<Sequence> readSequences(const std::filesystem::path& path, const ModelConfig& config) {
    std::vector<Sequence> sequences;
    readJsonLines(path, [&](int64_t line, const nlohmann::ordered_json& row) {
        sequences.push_back({line, checkedIds(requireIntegers(row, "ids"), config)});
    });
    return sequences;
}

std::vector<TensorInfo> announce(const std::vector<Sequence>& sequences, const ModelConfig& config) {
    std::vector<TensorInfo> tensors;
    for (const Sequence& sequence : sequences)
        tensors.push_back({fmt::format("logits.{}", sequence.line),
                           ElementType::f32,
                           {static_cast<int64_t>(sequence.ids.size()), config.vocab_size}});
    return tensors;
}

void appendLogits(const CausalLm& model, const Sequence& sequence, SafetensorsWriter& writer,
                  const JobContext& context) {
    const auto length = static_cast<int64_t>(sequence.ids.size());
    const at::Tensor hidden_states = model.hiddenStates({1, length, sequence.ids}, context)[0];
    const int64_t rows = std::max<int64_t>(1, kPiece / model.config().vocab_size);
    for (int64_t first = 0; first < length; first += rows) {
        context.checkStop();
        const at::Tensor piece = hidden_states.narrow(0, first, std::min(rows, length - first));
        const at::Tensor logits = model.logits(piece).to(at::kFloat).contiguous();
        writer.append(logits.const_data_ptr(), static_cast<uint64_t>(logits.numel()) * sizeof(float));
    }
}

}  // namespace

ForwardSummary writeLogits(const ForwardRequest& request, const JobContext& context) {
    const Checkpoint checkpoint = Checkpoint::open(request.folder);
    const std::vector<Sequence> sequences = readSequences(request.ids, checkpoint.config());
    SafetensorsWriter writer(request.out, announce(sequences, checkpoint.config()), {{"format", "pt"}});
    const CausalLm model = CausalLm::load(checkpoint, request.dtype, context);

    ForwardSummary summary = {.vocab_size = checkpoint.config().vocab_size};
    const at::NoGradGuard no_gradients;
    for (const Sequence& sequence : sequences) {
        translateTorchErrors([&] { appendLogits(model, sequence, writer, context); });
        summary.tokens += static_cast<int64_t>(sequence.ids.size());
        ++summary.sequences;
        context.report({"forward", summary.sequences, static_cast<int64_t>(sequences.size()), 0});
    }
    writer.commit();
    return summary;
}

}  // namespace spd
