// spd engine: serves windows. Started by spd-attach; speaks the messages of core/protocol/PROTOCOL.md.

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "core/engine/server.h"

namespace spd::cli {
namespace {

/// Windows and the desktop go first; a machine without them loses nothing.
constexpr int kNice = 5;

int runEngine(int linger_seconds, const CommonOptions& common, const JobContext& context) {
    std::filesystem::create_directories(common.workspace);
    engine::Server server({.workspace = common.workspace,
                           .program = "spd " SPD_VERSION,
                           .threads = chosenThreads(common),
                           .linger = std::chrono::seconds(linger_seconds)});
    Workplace workplace(common, server.events());
    addModelMessages(server, workplace);
    addTextMessages(server, workplace);
    addMachineMessages(server, workplace);
    addCalibrationMessages(server, workplace);
    addSubspaceMessages(server, workplace);
    addCorpusMessages(server, workplace);
    addRunMessages(server, workplace);
    addLineageMessage(server, workplace);
    addCalibrateJob(server, workplace);
    addGenerateJob(server, workplace);
    addTrainJob(server, workplace);
    addExperimentJob(server, workplace);
    addExportJob(server, workplace);
    addPreviewJob(server, workplace);
    (void)!nice(kNice);
    std::cerr << fmt::format("engine {} serves {}\n", getpid(), printable(common.workspace.native(), 1000));
    server.run(context.stop);
    return 0;
}

}  // namespace

void addEngine(CLI::App& app, CommonOptions& options, Command& chosen) {
    auto linger = std::make_shared<int>(60);
    CLI::App* command = app.add_subcommand(
        "engine", "Serve windows on WORKSPACE/engine.sock (spd-attach starts it when it is needed)");
    addCommonOptions(*command, options);
    command->add_option("--linger", *linger, "Seconds that it stays without clients and jobs")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->callback([linger, &chosen] {
        chosen = [linger](const CommonOptions& common, const JobContext& context) {
            return runEngine(*linger, common, context);
        };
    });
}

}  // namespace spd::cli
