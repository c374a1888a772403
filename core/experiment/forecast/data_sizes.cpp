#include "core/experiment/forecast/data_sizes.h"

#include <algorithm>
#include <span>

#include "core/data/permutation.h"
#include "core/data/tasks/evaluation_questions.h"
#include "core/data/tasks/task_data.h"

namespace spd {
namespace {

constexpr double kCharactersPerToken = 3.5;

class Counter {
public:
    explicit Counter(const Tokenizer* tokenizer) : tokenizer_(tokenizer) {}

    double tokens(const std::string& text) const {
        if (tokenizer_ == nullptr)
            return static_cast<double>(text.size()) / kCharactersPerToken;
        return static_cast<double>(tokenizer_->encode(text, Tokenizer::SpecialTokens::add).size());
    }

    double mean(std::span<const TaskPrompt> prompts) const {
        double sum = 0;
        for (const TaskPrompt& prompt : prompts)
            sum += tokens(prompt.prompt);
        return prompts.empty() ? 0 : sum / static_cast<double>(prompts.size());
    }

private:
    const Tokenizer* tokenizer_;
};

/// Calibration examples of a model that is not here: the first rows of the order in which they are taken.
void estimateCalibration(const TaskSplit& split, const Experiment& experiment,
                         const PromptTemplates& templates, const Counter& counter, DataSizes& sizes) {
    const auto rows = static_cast<int64_t>(split.set.rows.size());
    const std::vector<int64_t> order = permutation(rows, static_cast<uint64_t>(experiment.seed), kTaskRows);
    sizes.calibration_examples = std::min(experiment.task.n_calibration, rows);
    double sum = 0;
    double longest = 0;
    for (int64_t i = 0; i < sizes.calibration_examples; ++i) {
        const auto row = static_cast<size_t>(order[static_cast<size_t>(i)]);
        const CalibrationText text =
            calibrationTextOf(split.task, split.set.rows[row].fields, templates, CodeOptions{});
        const double tokens = counter.tokens(text.prompt + text.completion);
        sum += tokens;
        longest = std::max(longest, tokens);
    }
    sizes.calibration_tokens = sum / static_cast<double>(sizes.calibration_examples);
    sizes.longest_calibration_tokens = static_cast<int64_t>(longest);
}

void countCalibration(const CalibrationSet& calibration, DataSizes& sizes) {
    sizes.calibration_examples = static_cast<int64_t>(calibration.examples.size());
    double sum = 0;
    for (const CalibrationExample& example : calibration.examples) {
        const auto tokens = static_cast<int64_t>(example.input_ids.size());
        sum += static_cast<double>(tokens);
        sizes.longest_calibration_tokens = std::max(sizes.longest_calibration_tokens, tokens);
    }
    sizes.calibration_tokens = sum / static_cast<double>(sizes.calibration_examples);
}

/// Benchmarks that this version cannot read yet are counted at the paper's sizes (Table 8).
constexpr int64_t kCodeAlpacaQuestions = 100;
constexpr int64_t kBbhQuestions = 300;
constexpr double kUnknownQuestionTokens = 100;

void countQuestions(const Experiment::Evaluation& evaluation, const PromptTemplates& templates,
                    const Counter& counter, DataSizes& sizes) {
    if (evaluation.task == "codealpaca" || evaluation.task == "bbh") {
        const int64_t all = evaluation.task == "bbh" ? kBbhQuestions : kCodeAlpacaQuestions;
        sizes.questions.push_back(evaluation.limit > 0 ? std::min(evaluation.limit, all) : all);
        sizes.question_tokens.push_back(kUnknownQuestionTokens);
        return;
    }
    const EvaluationQuestions questions = evaluationQuestions(evaluation.task, evaluation.limit, templates);
    sizes.questions.push_back(static_cast<int64_t>(questions.questions.size()));
    sizes.question_tokens.push_back(counter.mean(promptsOf(questions)));
}

}  // namespace

DataSizes countData(const PlannedRun& run, const PromptTemplates& templates, const Tokenizer* tokenizer,
                    const ModelConfig& config) {
    const Experiment& experiment = run.experiment;
    const Counter counter(tokenizer);
    DataSizes sizes;
    sizes.counted = tokenizer != nullptr;
    for (const Experiment::Evaluation& evaluation : experiment.evaluate)
        countQuestions(evaluation, templates, counter, sizes);
    if (!run.needsSubspace() && !run.needsTraining())
        return sizes;
    const TaskSplit split = openTaskSplit(parseTask(experiment.task.name), experiment.task.train, templates);
    const auto seed = static_cast<uint64_t>(experiment.seed);
    CalibrationSet calibration;
    if (tokenizer != nullptr) {
        calibration = selectCalibration(split, experiment.task.n_calibration, seed, CodeOptions{}, templates,
                                        *tokenizer, {config.max_position_embeddings, config.vocab_size});
        countCalibration(calibration, sizes);
    } else {
        estimateCalibration(split, experiment, templates, counter, sizes);
    }
    const TrainingPrompts training = selectTraining(split, experiment.task.n_train, seed, calibration,
                                                    experiment.task.disjoint, templates);
    sizes.prompts = static_cast<int64_t>(training.prompts.size());
    sizes.prompt_tokens = counter.mean(training.prompts);
    return sizes;
}

}  // namespace spd
