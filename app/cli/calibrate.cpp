// spd calibrate: the capability subspaces of a model, measured on a few examples.

#include "core/pipeline/calibrate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/calibration.h"
#include "app/cli/commands.h"
#include "app/cli/intervention_options.h"
#include "app/cli/progress_line.h"
#include "app/cli/shown_examples.h"
#include "app/cli/stage_summaries.h"
#include "app/cli/text_table.h"
#include "core/subspace/projection.h"
#include "core/subspace/spectrum.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

struct CalibrateOptions {
    std::string model;
    ExampleSource source;
    bool show = false;
    std::filesystem::path out;  ///< empty: only shown
    std::string layers = "last_mid";
    std::string loss = "aligned";
    std::string site = "proj";
    bool per_head = false;
    double seconds_to_save = 60;
};

void printTable(const Subspace& subspace) {
    TextTable table;
    table.addColumn("target");
    for (const char* heading :
         {"width", "numeric rank", "effective", "stable", "r = half: energy", "overlap", "chance"})
        table.addColumn(heading, TextTable::Align::right);
    for (const auto& [target, measured] : subspace.targets)
        for (size_t i = 0; i < measured.heads.size(); ++i) {
            const Spectrum& head = measured.heads[i];
            const int64_t width = head.singular_values.size();
            const int64_t half = std::max<int64_t>(1, width / 2);
            table.addRow(
                {measured.heads.size() == 1 ? toText(target) : fmt::format("{} head {}", toText(target), i),
                 std::to_string(width), std::to_string(head.numeric_rank),
                 fmt::format("{:.1f}", head.effective_rank), fmt::format("{:.1f}", head.stable_rank),
                 fmt::format("{:.4f}", energyOf(head.singular_values, half)),
                 fmt::format("{:.3f}", head.split_half_overlap(half - 1)),
                 fmt::format("{:.3f}", static_cast<double>(half) / static_cast<double>(width))});
        }
    fmt::print("{}", table.text());
}

void printJson(const ordered_json& result) {
    std::cout << result.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

void printSummary(const CalibrateSummary& summary, const std::filesystem::path& out) {
    printTable(summary.subspace);
    std::string text = fmt::format("{}: {} examples", out.string(), summary.subspace.examples.size());
    if (summary.resumed > 0)
        text += fmt::format(", {} of them from before", summary.resumed);
    if (summary.tokens > 0)
        text += fmt::format(", {} tokens in {:.1f} s, spectra in {:.1f} s", summary.tokens,
                            summary.gradient_seconds, summary.decompose_seconds);
    fmt::print("{}\n", text);
}

CalibrateRequest requestOf(const CalibrateOptions& options, const CommonOptions& common) {
    if (options.out.empty() && !options.show)
        throw Error(ErrorKind::invalid_argument,
                    "--out FOLDER is missing (--show alone prints the examples)");
    if (options.source.examples.empty() == options.source.task.empty())
        throw Error(ErrorKind::invalid_argument,
                    "the examples come from --task or from --examples FILE, one of them");
    CalibrateRequest request;
    request.settings.loss = parseCalibrationLoss(options.loss);
    request.settings.site = parseKvSite(options.site);
    request.settings.per_head = options.per_head;
    request.out = options.out;
    request.dtype = chosenDType(common, DType::float32);
    request.threads = chosenThreads(common);
    request.seconds_to_save = options.seconds_to_save;
    request.overwrite = common.overwrite;
    return request;
}

ordered_json shownJson(const CalibrateRequest& request, const Tokenizer& tokenizer) {
    ordered_json shown = ordered_json::array();
    for (const CalibrationExample& example : request.examples)
        shown.push_back(exampleJson(example, tokenizer));
    return shown;
}

void printExamples(const CalibrateRequest& request, const Tokenizer& tokenizer) {
    const SpanMarks marks = spanMarksOfOutput();
    for (size_t i = 0; i < request.examples.size(); ++i)
        std::cout << shownExample(i + 1, request.examples[i], tokenizer, marks);
    std::cout.flush();
}

int run(CalibrateOptions& options, const CommonOptions& common, const JobContext& context) {
    CalibrateRequest request = requestOf(options, common);
    const Session session = Session::open(options.model, common.workspace, context);
    request.settings.layers = parseLayers(options.layers, session.checkpoint.config().num_hidden_layers);
    checkFits(request.settings, session.checkpoint.config());
    options.source.seed = common.seed;
    readExamples(options.source, session, request, printWarning);
    ordered_json result = ordered_json::object();
    if (common.json && options.show)
        result["shown"] = shownJson(request, session.tokenizer);
    else if (options.show)
        printExamples(request, session.tokenizer);
    if (options.out.empty()) {
        if (common.json)
            printJson(result);
        return 0;
    }
    if (request.dtype != DType::float32)
        printWarning(
            fmt::format("gradients in {}: rounding alone turns the subspace at ranks whose "
                        "neighbouring singular values are close",
                        name(request.dtype)));
    ProgressLine progress;
    try {
        const CalibrateSummary summary = calibrate(session, request, progress.attach(context));
        if (common.json)
            result.update(summaryJson(summary, request.out));
        if (common.json)
            printJson(result);
        else
            printSummary(summary, request.out);
    } catch (const Cancelled&) {
        std::cerr << "\nspd: stopped; what is done is kept, and the same command goes on from there\n";
        throw;
    }
    return 0;
}

void addTaskOptions(CLI::App& command, CalibrateOptions& options) {
    CLI::Option* task =
        command.add_option("--task", options.source.task, "math (GSM8K), code (MBPP) or qa (MMLU)");
    command
        .add_option("--data", options.source.data, "The task's rows: a shipped data set or a JSON Lines file")
        ->needs(task);
    command.add_option("--n", options.source.n, "Examples: the first of the task's rows, permuted by --seed")
        ->needs(task)
        ->capture_default_str();
    command
        .add_option("--code-span", options.source.code_span,
                    "What counts of a program: first_assertion, expected_value, all_assertions")
        ->needs(task)
        ->capture_default_str();
    command
        .add_flag("--tests-in-prompt", options.source.tests_in_prompt,
                  "The prompt of a program names its tests")
        ->needs(task);
}

}  // namespace

void addCalibrate(CLI::App& app, CommonOptions& common, Command& chosen) {
    auto options = std::make_shared<CalibrateOptions>();
    CLI::App* command =
        app.add_subcommand("calibrate", "Measure the subspaces of K and V gradients on a few examples");
    addCommonOptions(*command, common);
    command
        ->add_option("MODEL", options->model,
                     "Checkpoint folder, org/name in the Hugging Face cache, or workspace name")
        ->required();
    command->add_option(
        "--examples", options->source.examples,
        R"(Lines {"prompt","completion","spans":[[from,to)]} or {"input_ids","target_positions"})");
    addTaskOptions(*command, *options);
    command->add_flag("--show", options->show,
                      "Print the examples with the tokens of their spans marked; without --out nothing else");
    command->add_option("--out", options->out, "Folder of the subspaces");
    command->add_option("--layers", options->layers, "last_mid, all, or layers from 0: I,J")
        ->capture_default_str();
    command
        ->add_option("--loss", options->loss,
                     "Whose prediction counts: aligned (the spans), full_sequence, full_completion")
        ->capture_default_str();
    command
        ->add_option(
            "--site", options->site,
            "Where K is taken: proj (after k_proj), post_norm (after k_norm), post_rope (after RoPE)")
        ->capture_default_str();
    command->add_flag("--per-head", options->per_head, "One basis a KV head");
    command
        ->add_option("--save-every", options->seconds_to_save,
                     "Seconds between two saves of what an interrupted start goes on from")
        ->check(CLI::Range(0.0, 86400.0))
        ->capture_default_str();
    command->callback([options, &chosen] {
        chosen = [options](const CommonOptions& parsed, const JobContext& context) {
            return run(*options, parsed, context);
        };
    });
}

}  // namespace spd::cli
