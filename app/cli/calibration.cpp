#include "app/cli/calibration.h"

#include <fmt/format.h>

namespace spd::cli {

ExampleLimits limitsOf(const ModelConfig& config) {
    return {config.max_position_embeddings, config.vocab_size};
}

TaskExamples readTaskExamples(const ExampleSource& source, const Tokenizer& tokenizer,
                              const ExampleLimits& limits) {
    const PromptTemplates templates = PromptTemplates::open();
    const CodeOptions options = {parseCodeSpan(source.code_span), source.tests_in_prompt};
    TaskSplit split = openTaskSplit(parseTask(source.task), source.data, templates);
    CalibrationSet set =
        selectCalibration(split, source.n, source.seed, options, templates, tokenizer, limits);
    return {std::move(split), options, std::move(set)};
}

void readExamples(const ExampleSource& source, const Session& session, CalibrateRequest& request,
                  const OnWarning& on_warning) {
    const ExampleLimits limits = limitsOf(session.checkpoint.config());
    if (source.task.empty()) {
        request.examples = readCalibrationExamples(source.examples, session.tokenizer, limits);
        return;
    }
    TaskExamples found = readTaskExamples(source, session.tokenizer, limits);
    for (const LeftOutRow& row : found.set.left_out)
        on_warning(fmt::format("{}: row {} is left out: {}", printable(found.split.set.name, 500),
                               printable(toText(row.id)), row.reason));
    request.examples = std::move(found.set.examples);
    request.source = std::move(found.set.record);
}

}  // namespace spd::cli
