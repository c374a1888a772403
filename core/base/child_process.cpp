#include "core/base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/files.h"

namespace spd {
namespace {

constexpr size_t kMaxOutput = size_t{64} << 10;

/// Starts the program with `output` as its standard output and error; -1 when it cannot be started.
pid_t spawn(const std::vector<std::string>& argv, int output) {
    std::vector<char*> arguments;
    for (const std::string& argument : argv)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    pid_t child = -1;
    const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed == 0 ? child : -1;
}

/// Reads until the child closes its side, dropping what is over the cap. False when the deadline passed
/// first.
bool drain(int descriptor, std::chrono::steady_clock::time_point deadline, std::string& output) {
    char buffer[4096];
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return false;
        pollfd wait = {descriptor, POLLIN, 0};
        const int ready = poll(&wait, 1, static_cast<int>(left.count()));
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        const ssize_t got = ready < 0 ? -1 : read(descriptor, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        output.append(buffer, std::min(static_cast<size_t>(got), kMaxOutput - output.size()));
    }
}

int waitFor(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ChildResult runChild(const std::vector<std::string>& argv, std::chrono::milliseconds limit) {
    ChildResult result;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return result;
    const FileHandle read_end(ends[0]);
    FileHandle write_end(ends[1]);
    const pid_t child = spawn(argv, write_end.descriptor());
    write_end.reset();
    if (child < 0)
        return result;
    result.started = true;
    result.timed_out = !drain(read_end.descriptor(), std::chrono::steady_clock::now() + limit, result.output);
    if (result.timed_out)
        kill(child, SIGKILL);
    result.exit_code = waitFor(child);
    return result;
}

}  // namespace spd
