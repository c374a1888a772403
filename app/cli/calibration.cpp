#include "app/cli/calibration.h"

#include <fmt/format.h>

#include "core/subspace/spectrum.h"

namespace spd::cli {

using nlohmann::ordered_json;

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

ordered_json summaryJson(const CalibrateSummary& summary, const std::filesystem::path& out) {
    ordered_json targets = ordered_json::object();
    for (const auto& [target, measured] : summary.subspace.targets) {
        ordered_json heads = ordered_json::array();
        for (const Spectrum& head : measured.heads) {
            const int64_t half = std::max<int64_t>(1, head.singular_values.size() / 2);
            heads.push_back({{"width", head.singular_values.size()},
                             {"numeric_rank", head.numeric_rank},
                             {"effective_rank", head.effective_rank},
                             {"stable_rank", head.stable_rank},
                             {"half_dim_energy", energyOf(head.singular_values, half)},
                             {"half_dim_overlap", head.split_half_overlap(half - 1)}});
        }
        targets[toText(target)] = heads;
    }
    return {{"out", out.string()},
            {"examples", summary.subspace.examples.size()},
            {"resumed", summary.resumed},
            {"tokens", summary.tokens},
            {"open_seconds", summary.open_seconds},
            {"gradient_seconds", summary.gradient_seconds},
            {"decompose_seconds", summary.decompose_seconds},
            {"targets", targets}};
}

}  // namespace spd::cli
