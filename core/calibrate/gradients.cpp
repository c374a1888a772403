#include "core/calibrate/gradients.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>

#include "core/model/seams_torch.h"
#include "core/model/torch_errors_torch.h"
#include "core/model/weights_torch.h"

namespace spd {
namespace {

/// Logits in memory at a time, in elements: 64 MiB of float64, and as much again for their gradient.
constexpr int64_t most_logits = int64_t{1} << 23;
/// Rows of the head that float32 sums over before float64 goes on.
constexpr int64_t head_piece = 2048;

/// The sequence up to the last token that is in the loss; its logits need nothing that comes after.
TokenBatch inputsOf(const CalibrationExample& example, const std::vector<int64_t>& positions) {
    const int64_t length = positions.back();
    return {1, length, {example.input_ids.begin(), example.input_ids.begin() + length}};
}

/// K and V of the layers, on their way through the forward pass.
class Taps {
public:
    Taps(const CalibrationSettings& settings, const JobContext& context)
        : settings_(settings), context_(context) {}

    ForwardSeams seams() {
        ForwardSeams seams;
        seams.kv = [this](int64_t layer, KvStream stream, KvSite site, const at::Tensor& x) {
            return tap({layer, stream}, site, x);
        };
        // The way back is one call; a hook on every layer's output looks at the stop token meanwhile.
        seams.linear = [this](int64_t, AttentionLinear linear, const at::Tensor&, const at::Tensor& y) {
            if (linear == AttentionLinear::o && y.requires_grad())
                y.register_hook([this](const at::Tensor&) { context_.checkStop(); });
            return y;
        };
        return seams;
    }

    const std::vector<KvTarget>& targets() const { return targets_; }
    const std::vector<at::Tensor>& tensors() const { return tensors_; }  ///< [1, T, d] each

private:
    at::Tensor tap(const KvTarget& target, KvSite site, const at::Tensor& x) {
        const KvSite wanted = target.stream == KvStream::k ? settings_.site : KvSite::proj;
        if (site != wanted ||
            !std::binary_search(settings_.layers.begin(), settings_.layers.end(), target.layer))
            return x;
        // Above the lowest layer x hangs on taps below, whose gradients pass through it: it stays in the
        // graph.
        const at::Tensor tapped = x.requires_grad() ? x : x.detach().requires_grad_(true);
        targets_.push_back(target);
        tensors_.push_back(tapped);
        return tapped;
    }

    const CalibrationSettings& settings_;
    const JobContext& context_;
    std::vector<KvTarget> targets_;
    std::vector<at::Tensor> tensors_;
};

/// A loss, in nats a token, and its gradient with respect to the hidden states.
struct HeadResult {
    double loss = 0;
    at::Tensor gradient;  // [1, T, hidden_size]
};

/// d W, [rows, hidden_size]. The sum over the vocabulary cancels almost all of its terms: with few rows
/// float32 alone, which then adds them one after the other, loses more here than in all the layers.
/// @param d  [rows, vocab_size], float32
at::Tensor throughHead(const at::Tensor& d, const at::Tensor& head) {
    at::Tensor sum;
    for (int64_t first = 0; first < head.size(0); first += head_piece) {
        const int64_t size = std::min(head_piece, head.size(0) - first);
        const at::Tensor part =
            d.narrow(1, first, size).matmul(head.narrow(0, first, size).to(at::kFloat)).to(at::kDouble);
        sum = sum.defined() ? sum.add_(part) : part;
    }
    return sum;
}

/// Forward and back through the head a piece at a time: the gradient of -log softmax(x)[z] is
/// softmax(x) - onehot(z), here in float64, where a z that is almost certain leaves little of 1 - p.
/// @param hidden  [1, T, hidden_size], outside the graph.   @param positions  position t is predicted at t -
/// 1
HeadResult lossAtHead(const CausalLm& model, const at::Tensor& hidden, const CalibrationExample& example,
                      const std::vector<int64_t>& positions, const JobContext& context) {
    const at::NoGradGuard by_hand;
    const auto count = static_cast<int64_t>(positions.size());
    const int64_t piece = std::max<int64_t>(1, most_logits / model.config().vocab_size);
    HeadResult result = {0, at::zeros_like(hidden)};
    for (int64_t first = 0; first < count; first += piece) {
        context.checkStop();
        const int64_t size = std::min(piece, count - first);
        std::vector<int64_t> rows, labels;
        for (int64_t i = first; i < first + size; ++i) {
            rows.push_back(positions[static_cast<size_t>(i)] - 1);
            labels.push_back(example.input_ids[static_cast<size_t>(positions[static_cast<size_t>(i)])]);
        }
        const at::Tensor index = at::from_blob(rows.data(), {size}, at::kLong);
        const at::Tensor label = at::from_blob(labels.data(), {size, 1}, at::kLong);
        at::Tensor d =
            at::log_softmax(model.logits(hidden[0].index_select(0, index)).to(at::kDouble), /*dim=*/-1);
        result.loss -= d.gather(1, label).sum().item<double>() / static_cast<double>(count);
        d = d.exp_().scatter_add_(1, label, at::full_like(label, -1, at::kDouble)).to(at::kFloat);
        const at::Tensor gradient = throughHead(d, model.weights().lm_head) / count;
        result.gradient[0].index_add_(0, index, gradient.to(hidden.scalar_type()));
    }
    return result;
}

/// What one example adds to a target.
struct Increment {
    at::Tensor rows;  // [heads, w, w]: G^T G in float64
    int64_t nonzero_rows;
};

/// @param gradient  [1, T, d]
Increment incrementOf(const at::Tensor& gradient, int64_t heads) {
    const at::Tensor rows = gradient[0].to(at::kDouble);
    const at::Tensor by_head = rows.unflatten(-1, {heads, -1}).transpose(0, 1).contiguous();  // [heads, T, w]
    return {by_head.transpose(1, 2).bmm(by_head), rows.ne(0).any(1).sum().item<int64_t>()};
}

/// Of all heads together: the sum of squares of the gradient's entries.
double traceOf(const at::Tensor& rows) {
    return rows.diagonal(0, 1, 2).sum().item<double>();
}

void addTo(Eigen::MatrixXd& sum, const at::Tensor& increment) {
    // Symmetric, so that it does not matter which way round Eigen lays it out.
    const at::Tensor view = at::from_blob(sum.data(), {sum.rows(), sum.cols()}, at::kDouble);
    view.add_(increment);
}

class ExamplePass {
public:
    ExamplePass(const CausalLm& model, const CalibrationExample& example, const CalibrationSettings& settings,
                const JobContext& context)
        : model_(model), example_(example), settings_(settings), context_(context) {}

    /// @return Frobenius norm of the gradients
    double addTo(GramSums& sums) const {
        const std::vector<int64_t> positions = lossPositions(example_, settings_.loss);
        Taps taps(settings_, context_);
        const at::AutoGradMode record(true);
        const at::Tensor hidden = model_.hiddenStates(inputsOf(example_, positions), taps.seams(), context_);
        const HeadResult head = lossAtHead(model_, hidden.detach(), example_, positions, context_);
        requireFinite(std::isfinite(head.loss), "loss");
        const std::vector<at::Tensor> gradients =
            torch::autograd::grad({hidden}, taps.tensors(), {head.gradient});

        const at::NoGradGuard no_gradients;
        std::vector<Increment> increments;
        double squares = 0;
        for (size_t i = 0; i < gradients.size(); ++i) {
            increments.push_back(
                incrementOf(gradients[i], settings_.per_head ? model_.config().num_key_value_heads : 1));
            requireFinite(increments.back().rows.isfinite().all().item<bool>(),
                          "gradient of " + toText(taps.targets()[i]));
            squares += traceOf(increments.back().rows);
        }
        add(taps.targets(), increments, sums);
        sums.examples.push_back({example_.id, static_cast<int64_t>(positions.size()),
                                 static_cast<int64_t>(example_.input_ids.size()), head.loss});
        return std::sqrt(squares);
    }

private:
    void requireFinite(bool finite, const std::string& what) const {
        if (finite)
            return;
        throw Error(
            ErrorKind::file_format,
            fmt::format("example {}: the {} is not finite{}", printable(toText(example_.id)), what,
                        model_.dtype() == DType::float16 ? "; --dtype float32 has more range"
                                                         : ", the checkpoint cannot be calibrated on it"));
    }

    void add(const std::vector<KvTarget>& targets, const std::vector<Increment>& increments,
             GramSums& sums) const {
        const size_t half = sums.examples.size() % 2;
        for (size_t i = 0; i < targets.size(); ++i) {
            TargetSums& sum = sums.targets.at(targets[i]);
            for (size_t head = 0; head < sum.heads.size(); ++head)
                spd::addTo(sum.heads[head][half], increments[i].rows[static_cast<int64_t>(head)]);
            sum.rows += static_cast<int64_t>(example_.input_ids.size());
            sum.nonzero_rows += increments[i].nonzero_rows;
        }
    }

    const CausalLm& model_;
    const CalibrationExample& example_;
    const CalibrationSettings& settings_;
    const JobContext& context_;
};

}  // namespace

double addExample(const CausalLm& model, const CalibrationExample& example,
                  const CalibrationSettings& settings, GramSums& sums, const JobContext& context) {
    double norm = 0;
    translateTorchErrors([&] { norm = ExamplePass(model, example, settings, context).addTo(sums); });
    return norm;
}

}  // namespace spd
