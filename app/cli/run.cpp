// spd run: every run of an experiment file, or what they would take.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "app/cli/commands.h"
#include "app/cli/experiment_output.h"
#include "app/cli/progress_line.h"
#include "core/kernels/kernel_table.h"
#include "core/kernels/measured_rates.h"
#include "core/kernels/thread_pool.h"
#include "core/model/causal_lm.h"

namespace spd::cli {

namespace {

struct RunOptions {
    ExperimentRequest request;
    bool dry_run = false;
    CLI::App* command = nullptr;
};

/// What an experiment file says is not said again on the command line.
void refuseFileSettings(const CLI::App& command) {
    for (const char* option : {"--seed", "--dtype", "--overwrite"})
        if (command.count(option) > 0)
            throw Error(ErrorKind::invalid_argument,
                        fmt::format("{}: the experiment file says it ({})", option,
                                    std::string_view(option) == "--overwrite"
                                        ? "an experiment of other settings gets a folder of its own"
                                        : "seed, model.dtype, calibration.dtype"));
}

MachineRates thisMachine(int threads) {
    ThreadPool pool(threads);
    const MeasuredRates measured = measureRates(pool, kernelTable(detectIsa()));
    return {"this machine", std::max(measured.bfloat16_gflops, measured.float32_gflops) * 1e9,
            measured.float32_gflops * 1e9, measured.weights_gb_per_s * 1e9};
}

int run(RunOptions& options, const CommonOptions& common, const JobContext& context) {
    refuseFileSettings(*options.command);
    ExperimentRequest& request = options.request;
    request.workspace = common.workspace;
    request.threads = chosenThreads(common);
    request.program_version = SPD_VERSION;
    if (options.dry_run) {
        const ExperimentFile file = readExperiment(request.file);
        const MachineRates here = thisMachine(request.threads);
        std::cout << describe(dryRun(file, request.workspace, here, oneH100()), here, oneH100(), common.json);
        return 0;
    }
    setTorchThreads(request.threads);
    std::optional<ExperimentOutcome> outcome;
    try {
        ProgressLine progress;
        outcome = runExperiment(request, progress.attach(context),
                                [&](const StageOutcome& stage) { progress.say(describe(stage)); });
    } catch (const Cancelled&) {
        std::cerr << "spd: stopped; what is done is kept, and the same command goes on from there\n";
        throw;
    }
    for (const std::string& notice : outcome->notices)
        std::cerr << "spd: " << notice << "\n";
    std::cout << describe(*outcome, common.json);
    const bool all_done = std::all_of(outcome->runs.begin(), outcome->runs.end(),
                                      [](const RunOutcome& each) { return each.error.empty(); });
    return all_done ? 0 : 1;
}

}  // namespace

void addRun(CLI::App& app, CommonOptions& common, Command& chosen) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = app.add_subcommand("run", "Do and record every run of an experiment file");
    options->command = command;
    addCommonOptions(*command, common);
    command->add_option("EXPERIMENT", options->request.file, "Experiment file (TOML)")->required();
    command->add_flag("--dry-run", options->dry_run, "Print stages, sizes and a forecast; compute nothing");
    command->add_flag("--resume", options->request.resume,
                      "Only go on with what was begun (a begun experiment is gone on with in any case)");
    command->callback([options, &chosen] {
        chosen = [options](const CommonOptions& parsed, const JobContext& context) {
            return run(*options, parsed, context);
        };
    });
}

}  // namespace spd::cli
