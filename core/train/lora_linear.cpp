#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/train/lora_linear_torch.h"

namespace spd {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// What each element of x [1, T, in] is multiplied by, float32.
at::Tensor factorsOf(const at::Tensor& x, const DropoutNoise& noise) {
    const int64_t width = x.size(-1);
    at::Tensor factors = at::empty(x.sizes(), at::kFloat);
    auto* values = factors.mutable_data_ptr<float>();
    at::parallel_for(0, x.size(1), /*grain_size=*/16, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t)
            dropoutFactors(noise, static_cast<uint32_t>(t), {values + t * width, static_cast<size_t>(width)});
    });
    return factors;
}

at::Tensor dropped(const at::Tensor& x, const at::Tensor& factors) {
    const at::Tensor exact = x.to(at::kFloat);
    return factors.defined() ? exact * factors : exact;
}

/// The noise travels through the context as numbers.
void keepNoise(AutogradContext& context, const DropoutNoise& noise) {
    context.saved_data["rate"] = noise.rate;
    context.saved_data["key"] = static_cast<int64_t>(noise.key);
    context.saved_data["sequence"] = static_cast<int64_t>(noise.sequence);
    context.saved_data["module"] = static_cast<int64_t>(noise.module);
}

DropoutNoise keptNoise(AutogradContext& context) {
    return {context.saved_data["rate"].toDouble(), static_cast<uint64_t>(context.saved_data["key"].toInt()),
            static_cast<uint32_t>(context.saved_data["sequence"].toInt()),
            static_cast<uint32_t>(context.saved_data["module"].toInt())};
}

at::Tensor factorsFor(const at::Tensor& x, const DropoutNoise& noise) {
    return noise.rate > 0 ? factorsOf(x, noise) : at::Tensor();
}

class LoraLinear : public torch::autograd::Function<LoraLinear> {
public:
    static Variable forward(AutogradContext* context, const Variable& x, const Variable& y, const Variable& a,
                            const Variable& b, double scale, const DropoutNoise& noise) {
        const at::Tensor low = at::linear(dropped(x, factorsFor(x, noise)), a);  // [1, T, r]
        context->save_for_backward({x, a, b, low});
        context->saved_data["scale"] = scale;
        keepNoise(*context, noise);
        return (y.to(at::kFloat) + at::linear(low, b) * scale).to(y.scalar_type());
    }

    // The name and the type are LibTorch's.
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const at::Tensor& a = saved[1];
        const at::Tensor& b = saved[2];
        const at::Tensor& low = saved[3];
        const at::Tensor factors = factorsFor(x, keptNoise(*context));
        const at::Tensor scaled = (gradients[0].to(at::kFloat) * context->saved_data["scale"].toDouble())
                                      .flatten(0, 1);     // [T, out]
        const at::Tensor of_low = at::matmul(scaled, b);  // [T, r]
        const at::Tensor of_a = at::matmul(of_low.t(), dropped(x, factors).flatten(0, 1));
        const at::Tensor of_b = at::matmul(scaled.t(), low.flatten(0, 1));
        at::Tensor of_x;
        if (context->needs_input_grad(0)) {
            of_x = at::matmul(of_low, a).unsqueeze(0);
            of_x = (factors.defined() ? of_x * factors : of_x).to(x.scalar_type());
        }
        return {of_x, gradients[0], of_a, of_b, Variable(), Variable()};
    }
};

}  // namespace

at::Tensor loraLinear(const at::Tensor& x, const at::Tensor& y, const LoraTensors& lora,
                      const DropoutNoise& noise) {
    return LoraLinear::apply(x, y, lora.a, lora.b, lora.scale, noise);
}

}  // namespace spd
