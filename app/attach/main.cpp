// spd-attach: relays its standard input and output to the engine of a workspace, which it starts when there
// is none. A window runs it as a child, here or behind ssh.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "core/base/error.h"
#include "core/engine/attach.h"
#include "core/io/model_locator.h"

namespace {

/// `spd` beside this program.
std::filesystem::path siblingEngine() {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::filesystem::path("spd") : self.parent_path() / "spd";
}

/// What a window is told by the exit code: 0 it asked for the end itself, 4 the engine ended.
int exitCode(spd::engine::AttachEnd end) {
    return end == spd::engine::AttachEnd::engine_ended ? 4 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Connects standard input and output to the engine of a workspace", "spd-attach");
    app.set_version_flag("--version", "spd-attach " SPD_VERSION);
    spd::engine::AttachRequest request;
    std::filesystem::path program = siblingEngine();
    bool no_start = false;
    int linger_seconds = 60;
    int threads = 0;
    app.add_option("--workspace", request.workspace, "Whose engine; the user's default workspace otherwise");
    app.add_option("--engine", program, "The spd that is started when no engine is there");
    app.add_flag("--no-start", no_start, "Fail when no engine is there");
    app.add_option("--linger", linger_seconds, "Seconds that a started engine stays without clients and jobs")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option("--threads", threads, "That a started engine computes with; 0: one per processor")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return app.exit(error);
        std::cerr << "spd-attach: " << error.what() << "\n";
        return 2;
    }
    if (request.workspace.empty())
        request.workspace = spd::defaultWorkspace();
    if (!no_start) {
        request.engine = {program.native(),           "engine",   "--workspace",
                          request.workspace.native(), "--linger", std::to_string(linger_seconds)};
        if (threads > 0)
            request.engine.insert(request.engine.end(), {"--threads", std::to_string(threads)});
    }
    try {
        return exitCode(spd::engine::attach(request));
    } catch (const spd::Error& error) {
        std::cerr << "spd-attach: " << error.what() << "\n";
        return error.exitCode();
    } catch (const std::exception& error) {
        std::cerr << "spd-attach: internal error: " << error.what() << "\n";
        return 1;
    }
}
