#include "core/train/training_pass.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <map>

#include "core/intervene/intervention_seams_torch.h"
#include "core/model/decoder_layer_torch.h"
#include "core/model/torch_errors_torch.h"
#include "core/train/chunked_loss_torch.h"
#include "core/train/lora_linear_torch.h"

namespace spd {
namespace {

/// A layer that has run: its input as a leaf of the layer's own graph, and its output with that graph where
/// activations are kept.
struct LayerRun {
    at::Tensor input;
    at::Tensor output;
};

void add(const at::Tensor& gradient, std::span<float> to) {
    const at::Tensor flat = gradient.contiguous();
    const auto* values = flat.const_data_ptr<float>();
    for (size_t i = 0; i < to.size(); ++i)
        to[i] += values[i];
}

}  // namespace

struct TrainingPass::Impl {
    Impl(const CausalLm& causal_lm, LoraParameters& lora);

    at::Tensor embed(const TrainingSequence& sequence) const;
    at::Tensor runLayer(size_t layer, const at::Tensor& x, const Rotation& rotation) const;
    double lossOf(const at::Tensor& last, const TrainingSequence& sequence, std::optional<double> scale,
                  at::Tensor* gradient, const JobContext& context) const;
    std::vector<LayerRun> forward(const TrainingSequence& sequence, const Rotation& rotation, bool keep,
                                  const JobContext& context) const;
    void backward(std::vector<LayerRun>& runs, const Rotation& rotation, at::Tensor gradient,
                  std::span<float> gradients, const JobContext& context) const;
    at::Tensor backwardLayer(size_t layer, const LayerRun& run, const at::Tensor& gradient,
                             std::span<float> gradients) const;

    const CausalLm& model;
    const ModelWeights& weights;
    const LoraParameters& parameters;
    std::vector<LoraTensors> lora;              // leaves over the parameters' memory, as places()
    std::map<uint32_t, size_t> module_of;       // place by its number
    std::vector<std::vector<size_t>> of_layer;  // places of each layer
    size_t lowest = 0;                          // layer that has a module; none below needs a gradient
    DropoutNoise noise;                         // of the sequence in work
    ForwardSeams seams;
};

TrainingPass::Impl::Impl(const CausalLm& causal_lm, LoraParameters& trained)
    : model(causal_lm),
      weights(causal_lm.weights()),
      parameters(trained),
      of_layer(weights.layers.size()),
      lowest(weights.layers.size()) {
    const auto leaf = [&](size_t first, int64_t rows, int64_t columns) {
        return at::from_blob(trained.values().data() + first, {rows, columns}, at::kFloat)
            .requires_grad_(true);
    };
    for (const LoraPlace& place : parameters.places()) {
        module_of[place.number()] = lora.size();
        of_layer[static_cast<size_t>(place.layer)].push_back(lora.size());
        lowest = std::min(lowest, static_cast<size_t>(place.layer));
        lora.push_back({leaf(place.a, place.r, place.in), leaf(place.b, place.out, place.r), place.scale});
    }
    seams.linear = [this](int64_t layer, AttentionLinear linear, const at::Tensor& x, const at::Tensor& y) {
        DropoutNoise of_module = noise;
        of_module.module = LoraPlace{.layer = layer, .linear = linear}.number();
        const auto found = module_of.find(of_module.module);
        return found == module_of.end() ? y : loraLinear(x, y, lora[found->second], of_module);
    };
}

/// [1, T - 1, hidden_size]: the last id is only predicted.
at::Tensor TrainingPass::Impl::embed(const TrainingSequence& sequence) const {
    const at::NoGradGuard frozen;
    const auto length = static_cast<int64_t>(sequence.ids.size()) - 1;
    const at::Tensor ids =
        at::from_blob(const_cast<int32_t*>(sequence.ids.data()), {1, length}, at::kInt).to(at::kLong);
    return at::embedding(weights.embed_tokens, ids);
}

at::Tensor TrainingPass::Impl::runLayer(size_t layer, const at::Tensor& x, const Rotation& rotation) const {
    return decoderLayer(model.config(), weights.layers[layer], rotation, seams, static_cast<int64_t>(layer),
                        x);
}

/// Final norm, head and loss of the counted positions. @param last  [1, T - 1, hidden_size].
/// @param gradient  where d (scale x loss) / d last goes.
double TrainingPass::Impl::lossOf(const at::Tensor& last, const TrainingSequence& sequence,
                                  std::optional<double> scale, at::Tensor* gradient,
                                  const JobContext& context) const {
    const int64_t first = sequence.first_target - 1;
    const at::AutoGradMode recorded(scale.has_value());
    const at::Tensor rows =
        last.detach().narrow(1, first, sequence.targets()).squeeze(0).requires_grad_(scale.has_value());
    const at::Tensor normed = rmsNorm(rows, weights.norm, model.config().rms_norm_eps);
    const ChunkedLoss loss =
        chunkedCrossEntropy(normed.detach(), weights.lm_head,
                            sequence.ids.subspan(static_cast<size_t>(sequence.first_target)), scale, context);
    if (scale) {
        *gradient = at::zeros_like(last);
        gradient->select(0, 0)
            .narrow(0, first, sequence.targets())
            .copy_(torch::autograd::grad({normed}, {rows}, {loss.gradient})[0]);
    }
    return loss.nll;
}

std::vector<LayerRun> TrainingPass::Impl::forward(const TrainingSequence& sequence, const Rotation& rotation,
                                                  bool keep, const JobContext& context) const {
    std::vector<LayerRun> runs;
    at::Tensor h = embed(sequence);
    for (size_t layer = 0; layer < weights.layers.size(); ++layer) {
        context.checkStop();
        const bool differentiated = layer >= lowest;
        const at::AutoGradMode recorded(keep && differentiated);
        const at::Tensor input = h.detach().requires_grad_(layer > lowest);
        const at::Tensor output = runLayer(layer, input, rotation);
        h = output.detach();
        if (differentiated)
            runs.push_back({input, keep ? output : at::Tensor()});
    }
    runs.push_back({h, at::Tensor()});
    return runs;
}

/// @return the gradient by the layer's input; undefined for the lowest layer.
at::Tensor TrainingPass::Impl::backwardLayer(size_t layer, const LayerRun& run, const at::Tensor& gradient,
                                             std::span<float> gradients) const {
    torch::autograd::variable_list inputs;
    for (const size_t place : of_layer[layer]) {
        inputs.push_back(lora[place].a);
        inputs.push_back(lora[place].b);
    }
    if (layer > lowest)
        inputs.push_back(run.input);
    const torch::autograd::variable_list found = torch::autograd::grad({run.output}, inputs, {gradient});
    size_t next = 0;
    for (const size_t index : of_layer[layer]) {
        const LoraPlace& place = parameters.places()[index];
        add(found[next++], gradients.subspan(place.a, place.b - place.a));
        add(found[next++], gradients.subspan(place.b, static_cast<size_t>(place.out * place.r)));
    }
    return layer > lowest ? found.back() : at::Tensor();
}

/// @param runs  of the layers from the lowest on; freed from the end on.
void TrainingPass::Impl::backward(std::vector<LayerRun>& runs, const Rotation& rotation, at::Tensor gradient,
                                  std::span<float> gradients, const JobContext& context) const {
    const at::AutoGradMode recorded(true);
    for (size_t layer = weights.layers.size(); layer-- > lowest;) {
        context.checkStop();
        LayerRun& run = runs.back();
        if (!run.output.defined())
            run.output = runLayer(layer, run.input, rotation);
        gradient = backwardLayer(layer, run, gradient, gradients);
        runs.pop_back();
    }
}

TrainingPass::TrainingPass(const CausalLm& model, LoraParameters& parameters)
    : impl_(std::make_unique<Impl>(model, parameters)) {}
TrainingPass::~TrainingPass() = default;

std::string TrainingPass::assertNoIntervention() const {
    return spd::assertNoIntervention(impl_->seams);
}

double TrainingPass::addGradients(const TrainingSequence& sequence, const PassSettings& settings,
                                  std::span<float> gradients, const JobContext& context) {
    return translateTorchErrors([&] {
        impl_->noise = {settings.dropout, settings.dropout_key, sequence.number, 0};
        const Rotation rotation =
            rotationOf(impl_->model.config(), static_cast<int64_t>(sequence.ids.size()) - 1,
                       scalarType(impl_->model.dtype()));
        std::vector<LayerRun> runs = impl_->forward(sequence, rotation, settings.keep_activations, context);
        at::Tensor gradient;
        const double loss = impl_->lossOf(runs.back().input, sequence, settings.scale, &gradient, context);
        runs.pop_back();
        impl_->backward(runs, rotation, gradient, gradients, context);
        return loss;
    });
}

double TrainingPass::loss(const TrainingSequence& sequence, const JobContext& context) {
    return translateTorchErrors([&] {
        impl_->noise = {};
        const at::NoGradGuard no_gradients;
        const Rotation rotation =
            rotationOf(impl_->model.config(), static_cast<int64_t>(sequence.ids.size()) - 1,
                       scalarType(impl_->model.dtype()));
        at::Tensor h = impl_->embed(sequence);
        for (size_t layer = 0; layer < impl_->weights.layers.size(); ++layer) {
            context.checkStop();
            h = impl_->runLayer(layer, h, rotation);
        }
        return impl_->lossOf(h, sequence, std::nullopt, nullptr, context);
    });
}

}  // namespace spd
