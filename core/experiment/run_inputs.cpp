#include "core/experiment/run_inputs.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace spd {
namespace {

/// What solutions end with is a number in these; the others wait for scorers of their own.
bool canBeScored(const Experiment::Evaluation& evaluation) {
    return evaluation.task == "gsm8k" || evaluation.task == "svamp";
}

std::vector<EvaluationQuestions> readQuestions(const PlannedRun& run, const PromptTemplates& templates) {
    std::vector<EvaluationQuestions> all;
    for (const Experiment::Evaluation& evaluation : run.experiment.evaluate) {
        if (!canBeScored(evaluation))
            throw Error(ErrorKind::invalid_argument,
                        fmt::format("evaluate: {} cannot be scored by this version (gsm8k and svamp can)",
                                    evaluation.task));
        if (evaluation.protocol != "paper")
            throw Error(ErrorKind::invalid_argument,
                        fmt::format("evaluate: protocol \"{}\" is not in this version (\"paper\" is)",
                                    evaluation.protocol));
        all.push_back(evaluationQuestions(evaluation.task, evaluation.limit, templates));
    }
    return all;
}

}  // namespace

RunInputs readRunInputs(const PlannedRun& run, const PromptTemplates& templates, const Tokenizer& tokenizer,
                        const ModelConfig& config) {
    const Experiment& experiment = run.experiment;
    RunInputs inputs;
    inputs.questions = readQuestions(run, templates);
    if (!run.needsSubspace() && !run.needsTraining())
        return inputs;
    const TaskSplit split = openTaskSplit(parseTask(experiment.task.name), experiment.task.train, templates);
    const auto seed = static_cast<uint64_t>(experiment.seed);
    inputs.calibration =
        selectCalibration(split, experiment.task.n_calibration, seed, CodeOptions{}, templates, tokenizer,
                          {config.max_position_embeddings, config.vocab_size});
    if (run.needsTraining())
        inputs.training = selectTraining(split, experiment.task.n_train, seed, inputs.calibration,
                                         experiment.task.disjoint, templates);
    for (const EvaluationQuestions& questions : inputs.questions) {
        const std::vector<TaskPrompt> asked = promptsOf(questions);
        refuseLeaks(inputs.training.prompts, "training prompts of " + split.set.name, asked, questions.task);
        if (run.needsSubspace())
            refuseLeaks(promptsOf(split, inputs.calibration), "calibration examples of " + split.set.name,
                        asked, questions.task);
    }
    return inputs;
}

}  // namespace spd
