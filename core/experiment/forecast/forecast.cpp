#include "core/experiment/forecast/forecast.h"

#include <algorithm>
#include <cmath>

#include "core/io/memory_forecast.h"

namespace spd {
namespace {

/// What the stages' arithmetic depends on.
class Arithmetic {
public:
    Arithmetic(const PlannedRun& run, const ModelConfig& config, const DataSizes& sizes,
               const MachineRates& rates)
        : experiment_(run.experiment), config_(config), sizes_(sizes), rates_(rates) {
        const double embedding =
            static_cast<double>(config.vocab_size) * static_cast<double>(config.hidden_size);
        const auto parameters = static_cast<double>(parameterCount(config));
        // The embedding is looked up, not multiplied; a tied one is multiplied as the head.
        multiplied_ = parameters - (config.tie_word_embeddings ? 0 : embedding);
        head_ = embedding;
    }

    StageForecast calibrate() const {
        StageForecast forecast{"calibrate", sizes_.calibration_examples, 0, 0, 0};
        const double tokens = static_cast<double>(forecast.items) * sizes_.calibration_tokens;
        const double layers = multiplied_ - head_;
        const double above = layers * (1 - lowestLayer());
        const double head =
            experiment_.calibration.loss == "aligned" ? 0 : 2 * head_;  // logits of the span alone
        forecast.tokens = std::llround(tokens);
        const bool is_float32 = experiment_.calibration.dtype == "float32";
        forecast.seconds =
            2 * tokens * (layers + above + head) / (is_float32 ? rates_.float32_flops : rates_.flops);
        ForecastSettings settings = memorySettings();
        settings.example_tokens = std::max<int64_t>(1, sizes_.longest_calibration_tokens);
        forecast.memory = forecastMemory(config_, settings).calibrate;
        return forecast;
    }

    StageForecast generate(const std::string& stage, int64_t prompts, double prompt_tokens,
                           int64_t new_tokens) const {
        StageForecast forecast{stage, prompts, 0, 0, 0};
        const auto count = static_cast<double>(prompts);
        const double decoded = count * static_cast<double>(new_tokens);
        forecast.tokens = std::llround(decoded + count * prompt_tokens);
        ForecastSettings settings = memorySettings();
        settings.slots = std::min(settings.slots, std::max<int64_t>(1, prompts));
        settings.context = std::llround(prompt_tokens) + new_tokens;
        const MemoryForecast memory = forecastMemory(config_, settings);
        const auto slots = static_cast<double>(settings.slots);
        // On average half of the cache is filled.
        const double step_bytes =
            static_cast<double>(memory.weights) + slots * static_cast<double>(memory.kv_cache_per_slot) / 2;
        const double step = std::max(step_bytes / rates_.bytes, 2 * multiplied_ * slots / rates_.flops);
        forecast.seconds = decoded / slots * step + 2 * multiplied_ * count * prompt_tokens / rates_.flops;
        forecast.memory = memory.generate;
        return forecast;
    }

    StageForecast train() const {
        const Experiment::Training& training = experiment_.training;
        const double sequence =
            sizes_.prompt_tokens + static_cast<double>(experiment_.generation.max_new_tokens);
        const int64_t batches = (sizes_.prompts + training.batch_size - 1) / training.batch_size;
        StageForecast forecast{"train", training.epochs * batches, 0, 0, 0};
        const double tokens = static_cast<double>(training.epochs * sizes_.prompts) * sequence;
        forecast.tokens = std::llround(tokens);
        forecast.seconds = (training.recompute == "full" ? 6 : 4) * multiplied_ * tokens / rates_.flops;
        ForecastSettings settings = memorySettings();
        settings.sequence_tokens = std::llround(sequence);
        settings.lora_rank = training.r;
        forecast.memory = forecastMemory(config_, settings).train;
        return forecast;
    }

private:
    ForecastSettings memorySettings() const {
        ForecastSettings settings;
        settings.dtype = experiment_.model.dtype == "float32"   ? DType::float32
                         : experiment_.model.dtype == "float16" ? DType::float16
                                                                : DType::bfloat16;
        settings.slots = experiment_.generation.batch;
        return settings;
    }

    /// Share of the layers that lie below the lowest one measured: no gradient reaches them.
    double lowestLayer() const {
        const std::string& layers = experiment_.calibration.layers;
        const auto count = static_cast<double>(config_.num_hidden_layers);
        if (layers == "last_mid")
            return (std::floor(count / 2) - 1) / count;
        return layers == "all" || layers.empty() ? 0 : std::min(1.0, std::stod(layers) / count);
    }

    const Experiment& experiment_;
    const ModelConfig& config_;
    const DataSizes& sizes_;
    const MachineRates& rates_;
    double multiplied_ = 0;  // parameters that a token is multiplied with
    double head_ = 0;        // of these, the head's
};

}  // namespace

MachineRates oneH100() {
    return {"one H100", 0.45 * 989e12, 0.6 * 67e12, 0.7 * 3.35e12};
}

int64_t longestAnswer(const Experiment::Evaluation& evaluation) {
    return evaluation.max_new_tokens > 0 ? evaluation.max_new_tokens : 256;
}

std::vector<StageForecast> forecastRun(const PlannedRun& run, const ModelConfig& config,
                                       const DataSizes& sizes, const MachineRates& rates) {
    const Arithmetic arithmetic(run, config, sizes, rates);
    std::vector<StageForecast> stages;
    if (run.needsSubspace())
        stages.push_back(arithmetic.calibrate());
    if (run.needsTraining()) {
        stages.push_back(arithmetic.generate("generate", sizes.prompts, sizes.prompt_tokens,
                                             run.experiment.generation.max_new_tokens));
        stages.push_back(arithmetic.train());
    }
    for (size_t i = 0; i < run.experiment.evaluate.size(); ++i)
        stages.push_back(arithmetic.generate("evaluate " + run.experiment.evaluate[i].task,
                                             sizes.questions.at(i), sizes.question_tokens.at(i),
                                             longestAnswer(run.experiment.evaluate[i])));
    return stages;
}

}  // namespace spd
