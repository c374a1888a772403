// spd train: a LoRA adapter from a corpus.

#include "core/pipeline/train.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/progress_line.h"
#include "app/cli/stage_summaries.h"
#include "core/kernels/kernel_table.h"

namespace spd::cli {
namespace {

/// Options as they were written, where the request wants them in another form.
struct TrainOptions {
    TrainRequest request;
    std::string loss = "full";
    std::string recompute = "auto";
    std::string held_out;
    std::string corpus_filter = "none";
    CLI::App* command = nullptr;
};

double gib(int64_t bytes) {
    return static_cast<double>(bytes) / (1 << 30);
}

void printSummary(const TrainSummary& summary, bool json) {
    if (json) {
        std::cout << summaryJson(summary).dump(-1, ' ', false,
                                               nlohmann::ordered_json::error_handler_t::replace)
                  << "\n";
        return;
    }
    std::string text =
        fmt::format("{}: {} steps on {} examples, loss {:.4f} -> {:.4f}", summary.adapter.string(),
                    summary.steps, summary.examples, summary.first_loss, summary.last_loss);
    if (summary.held_out_loss)
        text += fmt::format(", held out {:.4f} (step {})", *summary.held_out_loss, summary.adapter_step);
    if (!summary.filtered.keeps.empty())
        text += fmt::format("; {}", summary.filtered.describe());
    if (summary.stopped_early)
        text += fmt::format("; stopped early, {} steps were planned", summary.planned_steps);
    if (summary.was_complete)
        text += "; done before, nothing was left to do";
    else if (summary.resumed_steps > 0)
        text += fmt::format("; the first {} steps are from before", summary.resumed_steps);
    std::cout << text << "\n";
    if (summary.was_complete)
        return;
    if (summary.seconds > 0)
        text = fmt::format("{} tokens in {:.1f} s ({:.0f} tokens/s); ", summary.tokens, summary.seconds,
                           static_cast<double>(summary.tokens) / summary.seconds);
    else
        text.clear();
    std::cout << text
              << fmt::format("memory: {:.2f} GiB forecast, {:.2f} GiB at most (activations {})\n",
                             gib(summary.forecast_bytes), gib(summary.peak_bytes),
                             summary.activations_kept ? "kept" : "recomputed");
}

/// An adapter to start from brings its rank and scale. @throws Error invalid_argument
void refuseTwoShapes(const TrainOptions& options) {
    if (options.request.init_adapter.empty())
        return;
    for (const char* option : {"--r", "--alpha"})
        if (options.command->count(option) > 0)
            throw Error(ErrorKind::invalid_argument,
                        fmt::format("{}: --init-adapter has its own; leave one of them out", option));
}

int run(TrainOptions& options, const CommonOptions& common, const JobContext& context) {
    TrainRequest& request = options.request;
    TrainingSettings& settings = request.settings;
    request.workspace = common.workspace;
    request.dtype = chosenDType(common, detectIsa() == Isa::avx512_bf16 ? DType::bfloat16 : DType::float32);
    request.threads = chosenThreads(common);
    request.overwrite = common.overwrite;
    request.program_version = SPD_VERSION;
    settings.seed = common.seed;
    settings.loss = parseCountedTokens(options.loss).value();
    settings.recompute = parseRecompute(options.recompute).value();
    request.corpus_filter = parseCorpusFilter(options.corpus_filter);
    if (!options.held_out.empty())
        request.chooseHeldOut(options.held_out);
    refuseTwoShapes(options);
    ProgressLine progress;
    try {
        printSummary(trainAdapter(request, progress.attach(context)), common.json);
    } catch (const Cancelled&) {
        progress.say("stopped; finished steps are saved, and --resume goes on from there");
        throw;
    }
    return 0;
}

void addRecipe(CLI::App& command, TrainOptions& options) {
    TrainingSettings& settings = options.request.settings;
    command.add_option("--epochs", settings.epochs)->capture_default_str();
    command.add_option("--lr", settings.lr, "Learning rate of the first step; cosine to 0")
        ->capture_default_str();
    command.add_option("--r", settings.r, "Rank of the adapter")->capture_default_str();
    command.add_option("--alpha", settings.alpha, "The adapter is scaled by alpha / r")
        ->capture_default_str();
    command.add_option("--dropout", settings.dropout, "Share of the adapter's inputs that is dropped")
        ->capture_default_str();
    command.add_option("--batch-size", settings.batch_size, "Sequences of an optimizer step")
        ->capture_default_str();
    command.add_option("--weight-decay", settings.weight_decay)->capture_default_str();
    command.add_option("--max-grad-norm", settings.max_grad_norm, "Larger gradients are scaled down to it")
        ->capture_default_str();
    command.add_option("--loss", options.loss, "Tokens that count: all but the first, or the completion's")
        ->check(CLI::IsMember({"full", "completion_only"}))
        ->capture_default_str();
}

void addRun(CLI::App& command, TrainOptions& options) {
    TrainRequest& request = options.request;
    command.add_option("--init-adapter", request.init_adapter, "Start from this adapter (PEFT folder)");
    command
        .add_option("--recompute", options.recompute,
                    "Compute activations again instead of keeping them: less memory, more time, same result")
        ->check(CLI::IsMember({"auto", "off", "full"}))
        ->capture_default_str();
    command
        .add_option(
            "--corpus-filter", options.corpus_filter,
            "Completions that are not trained on: none, ssd (empty, single lines), apple (ssd and the "
            "shortest tenth), trl, mlx")
        ->check(CLI::IsMember({"none", "ssd", "apple", "trl", "mlx"}))
        ->capture_default_str();
    command.add_option("--held-out", options.held_out,
                       "Measure the loss after each epoch on a share of the corpus (0.1) or on a file");
    command.add_option("--early-stop", request.early_stop,
                       "End after this many epochs without a better held-out loss; 0: never");
    command.add_flag("--keep-best", request.keep_best, "Write the adapter of the best held-out loss");
    command
        .add_option("--checkpoint-every", request.checkpoint_every,
                    "Save after this many steps; also at the end and when stopped")
        ->capture_default_str();
    command.add_flag("--resume", request.resume, "Go on with the run that was stopped here, if one was");
}

}  // namespace

void addTrain(CLI::App& app, CommonOptions& common, Command& chosen) {
    auto options = std::make_shared<TrainOptions>();
    CLI::App* command = app.add_subcommand("train", "Train a LoRA adapter on a corpus");
    options->command = command;
    addCommonOptions(*command, common);
    command
        ->add_option("MODEL", options->request.model,
                     "Checkpoint folder, org/name in the Hugging Face cache, or workspace name")
        ->required();
    command
        ->add_option("--corpus", options->request.corpus,
                     R"(What spd generate wrote, or lines {"prompt","completion"})")
        ->required();
    command->add_option("--out", options->request.out, "Folder for adapter, log and checkpoints")->required();
    addRecipe(*command, *options);
    addRun(*command, *options);
    command->callback([options, &chosen] {
        chosen = [options](const CommonOptions& parsed, const JobContext& context) {
            return run(*options, parsed, context);
        };
    });
}

}  // namespace spd::cli
