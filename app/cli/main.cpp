// spd: every stage of SPD Workbench without a window.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <new>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/commands.h"
#include "core/base/error.h"
#include "core/io/model_locator.h"

namespace {

std::atomic<int> received_signal = 0;
int signal_pipe[2] = {-1, -1};

/// First SIGINT or SIGTERM: ask the stage to stop. Second: end now.
extern "C" void onSignal(int signal_number) {
    if (received_signal.exchange(signal_number) != 0)
        _exit(128 + signal_number);
    const char byte = 's';
    (void)!write(signal_pipe[1], &byte, 1);
}

/// std::stop_source::request_stop may not be called inside a signal handler; this thread calls it.
void forwardSignals(std::stop_source& stop) {
    if (pipe2(signal_pipe, O_CLOEXEC) != 0)
        return;
    std::thread([stop]() mutable {
        char byte;
        if (read(signal_pipe[0], &byte, 1) == 1)
            stop.request_stop();
    }).detach();
    struct sigaction action = {};
    action.sa_handler = onSignal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int report(const spd::Error& error, bool all_details) {
    // The problems of an experiment file are mended one by one: each has its line, always.
    const bool list = all_details || error.kind() == spd::ErrorKind::invalid_argument;
    if (error.details().empty() || !list)
        std::cerr << "spd: " << error.what() << "\n";
    else
        for (const std::string& detail : error.details())
            std::cerr << "spd: " << detail << "\n";
    return error.exitCode();
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("SPD Workbench: self-policy distillation on a local model", "spd");
    app.set_version_flag("--version", "spd " SPD_VERSION);
    app.require_subcommand(1);
    spd::cli::CommonOptions options;
    spd::cli::Command chosen;
    spd::cli::addDoctor(app, options, chosen);
    spd::cli::addEngine(app, options, chosen);
    spd::cli::addInspect(app, options, chosen);
    spd::cli::addTokenize(app, options, chosen);
    spd::cli::addGenerate(app, options, chosen);
    spd::cli::addForward(app, options, chosen);
    spd::cli::addRuns(app, options, chosen);
    spd::cli::addTrain(app, options, chosen);
    spd::cli::addRun(app, options, chosen);
    spd::cli::addExport(app, options, chosen);
    spd::cli::addCalibrate(app, options, chosen);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return app.exit(error);
        // CLI11 asks for a command before it looks at what was written in its place.
        const std::vector<std::string> unknown = app.remaining();
        const std::string what =
            unknown.empty() ? error.what() : "no such command: " + spd::printable(unknown[0]);
        std::cerr << "spd: " << what << " (spd --help lists the commands)\n";
        return 2;
    }
    if (options.workspace.empty())
        options.workspace = spd::defaultWorkspace();

    std::stop_source stop;
    forwardSignals(stop);
    try {
        return chosen(options, spd::JobContext{stop.get_token(), {}});
    } catch (const spd::Error& error) {
        return report(error, options.verbose || options.json);
    } catch (const spd::Cancelled&) {
        return 128 + (received_signal != 0 ? received_signal.load() : SIGINT);
    } catch (const std::bad_alloc&) {
        std::cerr << "spd: out of memory\n";
        return 1;
    } catch (const std::exception& error) {
        std::cerr << "spd: internal error: " << error.what() << "\n";
        return 1;
    }
}
