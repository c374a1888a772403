#include "core/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/train/training_noise.h"

namespace spd {
namespace {

AdamWSettings adamW(const TrainingSettings& settings) {
    return {.weight_decay = settings.weight_decay};
}

[[noreturn]] void throwDiverged(const std::string& what, int64_t step) {
    throw Error(
        ErrorKind::diverged,
        fmt::format("step {}: {}; the steps before it are kept (a smaller --lr may help)", step, what));
}

void requireFinite(double value, const char* what, int64_t step) {
    if (!std::isfinite(value))
        throwDiverged(fmt::format("the {} is {}", what, std::isnan(value) ? "NaN" : "infinite"), step);
}

}  // namespace

Trainer::Trainer(const CausalLm& model, const std::vector<TrainingExample>& examples,
                 const TrainingSettings& settings, LoraParameters start, bool keep_activations)
    : examples_(examples),
      settings_(settings),
      keep_activations_(keep_activations),
      parameters_(std::move(start)),
      optimizer_(adamW(settings), parameters_.values().size()),
      pass_(model, parameters_),
      gradients_(parameters_.values().size()) {
    if (examples.empty())
        throw Error(ErrorKind::internal, "training on no examples");
}

void Trainer::restore(int64_t step, const std::vector<float>& values, std::vector<float> first,
                      std::vector<float> second) {
    if (values.size() != gradients_.size() || first.size() != gradients_.size() ||
        second.size() != gradients_.size())
        throw Error(ErrorKind::internal, "parameters of another size");
    std::copy(values.begin(), values.end(), parameters_.values().begin());
    optimizer_ = AdamW(adamW(settings_), step, std::move(first), std::move(second));
}

int64_t Trainer::stepsPerEpoch() const {
    const auto count = static_cast<int64_t>(examples_.size());
    return (count + settings_.batch_size - 1) / settings_.batch_size;
}

std::vector<int64_t> Trainer::batch(int64_t step) {
    const int64_t epoch = step / stepsPerEpoch();
    const auto count = static_cast<int64_t>(examples_.size());
    if (epoch != order_epoch_) {
        order_ = epochOrder(settings_.seed, epoch, count);
        order_epoch_ = epoch;
    }
    const int64_t begin = step % stepsPerEpoch() * settings_.batch_size;
    const int64_t end = std::min(count, begin + settings_.batch_size);
    return {order_.begin() + begin, order_.begin() + end};
}

TrainingSequence Trainer::sequence(const TrainingExample& example, int64_t number) const {
    const bool all = settings_.loss == CountedTokens::full;
    return {example.ids, all ? 1 : std::max<int64_t>(1, example.prompt_tokens),
            static_cast<uint32_t>(number)};
}

/// @return the mean loss; gradients_ are those of it.
double Trainer::accumulate(const std::vector<int64_t>& batch, int64_t tokens, const JobContext& context) {
    std::fill(gradients_.begin(), gradients_.end(), 0.0F);
    PassSettings pass;
    pass.scale = 1 / static_cast<double>(tokens);
    pass.dropout = settings_.dropout;
    pass.dropout_key =
        trainingKey(settings_.seed, TrainingStream::dropout, static_cast<uint64_t>(optimizer_.steps()));
    pass.keep_activations = keep_activations_;
    double sum = 0;
    for (const int64_t number : batch) {
        sum += pass_.addGradients(sequence(examples_[static_cast<size_t>(number)], number), pass, gradients_,
                                  context);
        requireFinite(sum, "loss", optimizer_.steps() + 1);
    }
    return sum / static_cast<double>(tokens);
}

StepRecord Trainer::step(const JobContext& context) {
    const auto start = std::chrono::steady_clock::now();
    StepRecord record;
    const int64_t done = optimizer_.steps();
    record.step = done + 1;
    record.epoch = done / stepsPerEpoch() + 1;
    record.lr = cosineRate(settings_.lr, done, steps());
    int64_t computed = 0;
    const std::vector<int64_t> numbers = batch(done);
    for (const int64_t number : numbers) {
        const TrainingSequence of_batch = sequence(examples_[static_cast<size_t>(number)], number);
        record.tokens += of_batch.targets();
        computed += static_cast<int64_t>(of_batch.ids.size());
    }
    record.loss = accumulate(numbers, record.tokens, context);
    record.grad_norm = clipGradients(gradients_, settings_.max_grad_norm);
    requireFinite(record.grad_norm, "gradient's norm", record.step);
    context.checkStop();
    if (!optimizer_.step(parameters_.values(), gradients_, record.lr))
        throwDiverged("the update would make parameters that are not finite", record.step);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    record.tokens_per_second = static_cast<double>(computed) / seconds.count();
    return record;
}

double Trainer::meanLoss(const std::vector<TrainingExample>& examples, const JobContext& context) {
    double sum = 0;
    int64_t tokens = 0;
    for (const TrainingExample& example : examples) {
        const TrainingSequence whole = sequence(example, 0);
        sum += pass_.loss(whole, context);
        tokens += whole.targets();
    }
    return sum / static_cast<double>(tokens);
}

}  // namespace spd
