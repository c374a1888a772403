// spd generate: a self-made corpus, one completion a prompt.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/intervention_options.h"
#include "app/cli/progress_line.h"
#include "app/cli/stage_summaries.h"
#include "core/base/strict_json.h"
#include "core/generate/method_presets.h"
#include "core/kernels/kernel_table.h"
#include "core/pipeline/generate_corpus.h"

namespace spd::cli {

namespace {

/// Options as they were written; which of the sampling options were given decides over --sampling model.
struct GenerateOptions {
    CorpusRequest request;
    std::string sampling = "given";
    std::string method;
    std::string template_variables;
    bool raw = false;
    CLI::App* command = nullptr;
};

/// --method decides where the sampling starts from. @throws Error as requireMethodFits()
void chooseMethod(GenerateOptions& options) {
    if (options.method.empty())
        return;
    const CLI::Option* subspace = options.command->get_option_no_throw("--subspace");
    options.request.method = *parseSamplingMethod(options.method);
    requireMethodFits(*options.request.method, subspace != nullptr && subspace->count() > 0);
}

GivenSampling givenSampling(const GenerateOptions& options) {
    const SamplingSettings& parsed = options.request.settings.sampling;
    const auto ifGiven = [&](const char* option, auto value) {
        return options.command->count(option) > 0 ? std::optional(value) : std::nullopt;
    };
    return {.greedy = options.command->count("--greedy") > 0,
            .temperature = ifGiven("--temperature", parsed.temperature),
            .top_p = ifGiven("--top-p", parsed.top_p),
            .min_p = ifGiven("--min-p", parsed.min_p),
            .repetition_penalty = ifGiven("--repetition-penalty", parsed.repetition_penalty),
            .top_k = ifGiven("--top-k", parsed.top_k)};
}

void printSummary(const CorpusSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        const nlohmann::ordered_json result = summaryJson(summary, out);
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    std::string text = fmt::format("{}: {} completions", out.string(), summary.prompts);
    if (summary.resumed > 0)
        text += fmt::format(", {} of them from before", summary.resumed);
    if (summary.completion_tokens > 0)
        text += fmt::format(", {} tokens in {:.1f} s ({:.0f} tokens/s)", summary.completion_tokens,
                            summary.generate_seconds,
                            static_cast<double>(summary.completion_tokens) / summary.generate_seconds);
    if (!summary.intervention_record.empty())
        text += "\n  with " + summary.intervention;
    text += "\n" + summary.statistics;
    std::cout << text << "\n";
}

int run(GenerateOptions& options, const CommonOptions& common, const JobContext& context) {
    CorpusRequest& request = options.request;
    request.workspace = common.workspace;
    chooseMethod(options);
    request.settings.sampling = givenSampling(options).over(
        samplingStart(request.method, options.sampling == "model", request.model, common.workspace));
    request.settings.seed = common.seed;
    request.dtype = chosenDType(common, detectIsa() == Isa::avx512_bf16 ? DType::bfloat16 : DType::float32);
    request.threads = chosenThreads(common);
    request.overwrite = common.overwrite;
    request.on_warning = printWarning;
    if (!options.template_variables.empty()) {
        try {
            request.template_variables =
                parseStrictJson(options.template_variables, "--template-variables", {});
        } catch (const Error& error) {
            throw Error(ErrorKind::invalid_argument, error.what());
        }
        if (!request.template_variables.is_object())
            throw Error(ErrorKind::invalid_argument, "--template-variables: must be a JSON object");
    }
    ProgressLine progress;
    try {
        printSummary(generateCorpus(request, progress.attach(context)), request.out, common.json);
    } catch (const Cancelled&) {
        std::cerr << "\nspd: stopped; what is done is kept, and the same command goes on from there\n";
        throw;
    }
    return 0;
}

}  // namespace

void addGenerate(CLI::App& app, CommonOptions& common, Command& chosen) {
    auto options = std::make_shared<GenerateOptions>();
    CLI::App* command = app.add_subcommand("generate", "Complete the prompts of a JSON Lines file");
    options->command = command;
    addCommonOptions(*command, common);
    CorpusRequest& request = options->request;
    GenerationSettings& settings = request.settings;
    SamplingSettings& sampling = settings.sampling;
    command
        ->add_option("MODEL", request.model,
                     "Checkpoint folder, org/name in the Hugging Face cache, or workspace name")
        ->required();
    command->add_option("--prompts", request.prompts, R"(Lines {"id","prompt"} or {"id","messages"})")
        ->required();
    command->add_option("--out", request.out, "Where the completions go (JSON Lines)")->required();
    command->add_option("--max-new-tokens", settings.max_new_tokens, "Longest completion, in tokens")
        ->capture_default_str();
    command->add_flag("--greedy", sampling.greedy, "Always the most probable token");
    command->add_option("--temperature", sampling.temperature)->capture_default_str();
    command->add_option("--top-k", sampling.top_k, "Keep the k likeliest tokens; 0: all")
        ->capture_default_str();
    command->add_option("--top-p", sampling.top_p, "Keep the likeliest tokens up to this probability")
        ->capture_default_str();
    command->add_option("--min-p", sampling.min_p, "Drop tokens below this share of the likeliest")
        ->capture_default_str();
    command->add_option("--repetition-penalty", sampling.repetition_penalty)->capture_default_str();
    command->add_option("--stop", settings.stop, "Text that ends a completion; may be given again")
        ->take_all()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command
        ->add_option("--batch", settings.batch,
                     "Sequences that decode together; changes nothing but the speed")
        ->capture_default_str();
    CLI::Option* raw = command->add_flag("--raw", options->raw, "Complete the bare prompt (the default)");
    command->add_flag("--chat", request.chat, "Render prompts and messages with the model's chat template")
        ->excludes(raw);
    command->add_option("--template-variables", options->template_variables,
                        R"(With --chat, a JSON object for the template: '{"enable_thinking": false}')");
    CLI::Option* sampling_source =
        command
            ->add_option("--sampling", options->sampling,
                         "given: by these options; model: by its generation_config.json")
            ->check(CLI::IsMember({"given", "model"}))
            ->capture_default_str();
    command
        ->add_option(
            "--method", options->method,
            "Preset: psr (as the model samples), ssd (temperature 1.6, top-k 20, top-p 0.8), spd (psr under "
            "--subspace); sampling options that are given win")
        ->check(CLI::IsMember({"psr", "ssd", "spd"}))
        ->excludes(sampling_source);
    addInterventionOptions(*command, request.intervention);
    command->callback([options, &chosen] {
        chosen = [options](const CommonOptions& parsed, const JobContext& context) {
            return run(*options, parsed, context);
        };
    });
}

}  // namespace spd::cli
