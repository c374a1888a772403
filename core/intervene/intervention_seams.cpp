#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "core/intervene/folding.h"
#include "core/intervene/intervention_seams_torch.h"
#include "core/model/torch_errors_torch.h"
#include "core/model/weights_torch.h"

namespace spd {
namespace {

/// One linear with what is on it.
struct ChangedLinear {
    at::Tensor lora_a;         // [r, in], float32; undefined without LoRA
    at::Tensor lora_b;         // [out, r], with the scale
    Linear folded;             // M W, M b in the compute dtype; undefined where nothing is folded
    at::Tensor folded_lora_b;  // M times lora_b
};

at::Tensor floatTensor(const std::vector<float>& values, int64_t rows) {
    const int64_t columns = static_cast<int64_t>(values.size()) / rows;
    return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::kFloat).clone();
}

at::Tensor doubleTensor(const Eigen::MatrixXd& matrix) {
    // Eigen's columns follow each other, so its transpose is what lies there row by row.
    return at::from_blob(const_cast<double*>(matrix.data()), {matrix.cols(), matrix.rows()}, at::kDouble)
        .t()
        .contiguous();
}

at::Tensor folded(const at::Tensor& map, const at::Tensor& weight, DType dtype) {
    const at::Tensor exact = at::matmul(map, weight.to(at::kDouble)).contiguous();
    at::Tensor rounded = at::empty(exact.sizes(), scalarType(dtype));
    roundTo(dtype, {exact.const_data_ptr<double>(), static_cast<size_t>(exact.numel())}, rounded.data_ptr());
    return rounded;
}

/// y + B (A x) in float32, in the type of y.
at::Tensor withLora(const at::Tensor& a, const at::Tensor& b, const at::Tensor& x, const at::Tensor& y) {
    if (!a.defined())
        return y;
    return (y.to(at::kFloat) + at::linear(at::linear(x.to(at::kFloat), a), b)).to(y.scalar_type());
}

}  // namespace

/// What the seams own and do.
class SeamIntervention {
public:
    SeamIntervention(const CausalLm& model, const Intervention& intervention) {
        if (intervention.adapter)
            for (const LoraModule& module : intervention.adapter->modules)
                addLora(module);
        if (!intervention.projection)
            return;
        when_ = intervention.projection->when;
        site_ = intervention.projection->site;
        for (const auto& [target, map] : intervention.projection->maps)
            if (intervention.projection->apply == ProjectApply::activation)
                maps_[target] = doubleTensor(map.map).to(at::kFloat);
            else
                fold(model, target, map.map);
        if (intervention.adapter && maps_.empty())
            for (const LoraModule& module : intervention.adapter->modules)
                foldLora(module, *intervention.projection);
    }

    bool changesLinears() const { return !linears_.empty(); }
    bool changesActivations() const { return !maps_.empty(); }

    at::Tensor linear(int64_t layer, AttentionLinear which, const at::Tensor& x, const at::Tensor& y,
                      int64_t prompt_length) const {
        const auto found = linears_.find({layer, which});
        if (found == linears_.end())
            return y;
        const ChangedLinear& changed = found->second;
        const at::Tensor plain = withLora(changed.lora_a, changed.lora_b, x, y);
        if (!changed.folded.weight.defined())
            return plain;
        const at::Tensor projected = withLora(changed.lora_a, changed.folded_lora_b, x,
                                              at::linear(x, changed.folded.weight, changed.folded.bias));
        return choose(plain, projected, prompt_length);
    }

    at::Tensor kv(int64_t layer, KvStream stream, KvSite site, const at::Tensor& x,
                  int64_t prompt_length) const {
        const auto found = maps_.find({layer, stream});
        if (found == maps_.end() || site != (stream == KvStream::k ? site_ : KvSite::proj))
            return x;
        return choose(x, at::linear(x.to(at::kFloat), found->second).to(x.scalar_type()), prompt_length);
    }

private:
    void addLora(const LoraModule& module) {
        ChangedLinear& changed = linears_[{module.layer, module.linear}];
        changed.lora_a = floatTensor(module.a, module.r);
        changed.lora_b = loraB(module, nullptr);
    }

    void fold(const CausalLm& model, const KvTarget& target, const Eigen::MatrixXd& map) {
        const DecoderLayer& layer = model.weights().layers[static_cast<size_t>(target.layer)];
        const Linear& base = target.stream == KvStream::k ? layer.k_proj : layer.v_proj;
        const at::Tensor exact_map = doubleTensor(map);
        Linear& into = linears_[{target.layer, linearOf(target.stream)}].folded;
        into.weight = folded(exact_map, base.weight.detach(), model.dtype());
        if (base.bias.defined())
            into.bias = folded(exact_map, base.bias.detach(), model.dtype());
    }

    void foldLora(const LoraModule& module, const Projection& projection) {
        for (const KvStream stream : {KvStream::k, KvStream::v}) {
            const auto target = projection.maps.find({module.layer, stream});
            if (module.linear == linearOf(stream) && target != projection.maps.end())
                linears_[{module.layer, module.linear}].folded_lora_b = loraB(module, &target->second.map);
        }
    }

    at::Tensor loraB(const LoraModule& module, const Eigen::MatrixXd* map) {
        const std::vector<float> b = foldedLoraB(module, map, one_thread_);
        return floatTensor(b, static_cast<int64_t>(b.size()) / module.r);
    }

    static AttentionLinear linearOf(KvStream stream) {
        return stream == KvStream::k ? AttentionLinear::k : AttentionLinear::v;
    }

    /// [B, T, ...]: `projected` at the positions where the projection acts.
    at::Tensor choose(const at::Tensor& plain, const at::Tensor& projected, int64_t prompt_length) const {
        if (when_ == ProjectWhen::all)
            return projected;
        const int64_t positions = plain.size(1);
        const int64_t prompt = std::min(prompt_length, positions);
        const bool first_projected = when_ == ProjectWhen::prefill_only;
        return at::cat({(first_projected ? projected : plain).narrow(1, 0, prompt),
                        (first_projected ? plain : projected).narrow(1, prompt, positions - prompt)},
                       1);
    }

    ProjectWhen when_ = ProjectWhen::all;
    KvSite site_ = KvSite::proj;
    std::map<std::pair<int64_t, AttentionLinear>, ChangedLinear> linears_;
    std::map<KvTarget, at::Tensor> maps_;  // [d, d], float32: applied to activations
    ThreadPool one_thread_{1};
};

FoldedIntervention::FoldedIntervention(const CausalLm& model, const Intervention& intervention)
    : intervenes_(!intervention.isNone()) {
    checkFits(intervention, model.config());
    changes_ =
        translateTorchErrors([&] { return std::make_shared<const SeamIntervention>(model, intervention); });
}

ForwardSeams FoldedIntervention::seams(int64_t prompt_length) const {
    ForwardSeams seams;
    seams.intervenes = intervenes_;
    const std::shared_ptr<const SeamIntervention> owned = changes_;
    if (owned->changesLinears())
        seams.linear = [owned, prompt_length](int64_t layer, AttentionLinear which, const at::Tensor& x,
                                              const at::Tensor& y) {
            return owned->linear(layer, which, x, y, prompt_length);
        };
    if (owned->changesActivations())
        seams.kv = [owned, prompt_length](int64_t layer, KvStream stream, KvSite site, const at::Tensor& x) {
            return owned->kv(layer, stream, site, x, prompt_length);
        };
    return seams;
}

ForwardSeams interventionSeams(const CausalLm& model, const Intervention& intervention,
                               int64_t prompt_length) {
    return FoldedIntervention(model, intervention).seams(prompt_length);
}

std::string assertNoIntervention(const ForwardSeams& seams) {
    if (seams.intervenes || seams.kv)
        throw Error(ErrorKind::internal,
                    "a projection or an adapter is active where the base model must run");
    return "no intervention is active: K and V are not projected, no other adapter is applied";
}

}  // namespace spd
