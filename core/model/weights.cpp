#include <ATen/ops/empty.h>

#include <map>
#include <string>

#include "core/model/torch_errors_torch.h"
#include "core/model/weights_torch.h"

namespace spd {
namespace {

using NamedTensors = std::map<std::string, at::Tensor>;

/// Elements read between two looks at the stop token.
constexpr int64_t kPiece = int64_t{1} << 24;

void readTensor(const Checkpoint& checkpoint, const std::string& name, DType dtype, at::Tensor& tensor,
                const JobContext& context) {
    auto* bytes = static_cast<char*>(tensor.data_ptr());
    for (int64_t first = 0; first < tensor.numel(); first += kPiece) {
        context.checkStop();
        const int64_t count = std::min(kPiece, tensor.numel() - first);
        checkpoint.read(name, first, count, dtype, bytes + first * bytesPerElement(dtype));
    }
}

NamedTensors readAll(const Checkpoint& checkpoint, DType dtype, const JobContext& context) {
    const std::vector<ExpectedTensor> expected = expectedTensors(checkpoint.config());
    NamedTensors tensors;
    for (const ExpectedTensor& entry : expected) {
        at::Tensor tensor = at::empty(entry.shape, scalarType(dtype));
        readTensor(checkpoint, entry.name, dtype, tensor, context);
        tensors.emplace(entry.name, std::move(tensor));
        context.report(
            {"load", static_cast<int64_t>(tensors.size()), static_cast<int64_t>(expected.size()), 0});
    }
    checkpoint.checkUnchanged();
    return tensors;
}

/// The tensor of this name; undefined where the architecture has none.
at::Tensor find(const NamedTensors& tensors, const std::string& name) {
    const auto found = tensors.find(name);
    return found == tensors.end() ? at::Tensor() : found->second;
}

Linear linear(const NamedTensors& tensors, const std::string& module) {
    return {find(tensors, module + ".weight"), find(tensors, module + ".bias")};
}

DecoderLayer decoderLayer(const NamedTensors& tensors, const std::string& module) {
    const std::string attention = module + ".self_attn";
    const std::string mlp = module + ".mlp";
    return {
        .input_layernorm = find(tensors, module + ".input_layernorm.weight"),
        .q_proj = linear(tensors, attention + ".q_proj"),
        .k_proj = linear(tensors, attention + ".k_proj"),
        .v_proj = linear(tensors, attention + ".v_proj"),
        .o_proj = linear(tensors, attention + ".o_proj"),
        .q_norm = find(tensors, attention + ".q_norm.weight"),
        .k_norm = find(tensors, attention + ".k_norm.weight"),
        .post_attention_layernorm = find(tensors, module + ".post_attention_layernorm.weight"),
        .gate_proj = linear(tensors, mlp + ".gate_proj"),
        .up_proj = linear(tensors, mlp + ".up_proj"),
        .down_proj = linear(tensors, mlp + ".down_proj"),
    };
}

}  // namespace

at::ScalarType scalarType(DType dtype) {
    switch (dtype) {
        case DType::bfloat16:
            return at::kBFloat16;
        case DType::float16:
            return at::kHalf;
        case DType::float32:
            break;
    }
    return at::kFloat;
}

ModelWeights loadModelWeights(const Checkpoint& checkpoint, DType dtype, const JobContext& context) {
    return translateTorchErrors([&] {
        const NamedTensors tensors = readAll(checkpoint, dtype, context);
        ModelWeights weights;
        weights.embed_tokens = find(tensors, "model.embed_tokens.weight");
        for (int64_t i = 0; i < checkpoint.config().num_hidden_layers; ++i)
            weights.layers.push_back(decoderLayer(tensors, "model.layers." + std::to_string(i)));
        weights.norm = find(tensors, "model.norm.weight");
        weights.lm_head =
            checkpoint.config().tie_word_embeddings ? weights.embed_tokens : find(tensors, "lm_head.weight");
        return weights;
    });
}

}  // namespace spd
