#include "core/engine/attach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/engine/engine_socket.h"

namespace spd::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// Detached: its own session, no terminal, no inherited descriptor, so that the end of a window, a terminal
/// or an ssh connection does not reach it. The engine is the grandchild; init takes it over.
/// @return false when the program could not be run
bool startDetached(const std::vector<std::string>& command, const std::filesystem::path& log_path) {
    std::vector<char*> arguments;
    for (const std::string& argument : command)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const FileHandle log(open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    const FileHandle nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!log || !nothing)
        throwSystemError(log_path, "cannot open");
    std::array<int, 2> failed{};  // closed by exec; a byte comes when exec fails
    if (pipe2(failed.data(), O_CLOEXEC) != 0)
        throwSystemError(log_path, "cannot make a pipe");
    const FileHandle failed_read(failed[0]);
    FileHandle failed_write(failed[1]);
    const pid_t child = fork();
    if (child < 0)
        throwSystemError(command.front(), "cannot start");
    if (child == 0) {  // async-signal-safe calls only from here on
        setsid();
        if (fork() == 0) {
            dup2(nothing.descriptor(), 0);
            dup2(log.descriptor(), 1);
            dup2(log.descriptor(), 2);
            execvp(arguments[0], arguments.data());
            (void)!write(failed[1], "x", 1);
        }
        _exit(0);
    }
    failed_write.reset();
    waitpid(child, nullptr, 0);
    char byte = 0;
    return read(failed_read.descriptor(), &byte, 1) == 0;
}

std::string lastLineOf(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line, last;
    while (std::getline(file, line))
        if (!line.empty())
            last = line;
    return printable(last, 500);
}

/// Several windows may come at once: whoever holds the start lock starts, the others wait for its engine.
FileHandle connectOrStart(const AttachRequest& request) {
    const Clock::time_point give_up = Clock::now() + request.patience;
    const std::filesystem::path log = request.workspace / "engine.log";
    std::optional<FileLock> starting;
    bool started = false;
    while (true) {
        if (std::optional<FileHandle> connected = connectTo(request.workspace))
            return std::move(*connected);
        if (request.engine.empty())
            throw Error(ErrorKind::not_found, fmt::format("{}: no engine serves this workspace",
                                                          printable(request.workspace.native(), 1000)));
        if (!starting)
            starting = FileLock::tryLock(request.workspace / "engine.starting");
        // One that holds its lock and does not listen is coming up or ending.
        if (starting && !started && !FileLock::isHeld(request.workspace / kLockName)) {
            if (!startDetached(request.engine, log))
                throw Error(ErrorKind::not_found,
                            fmt::format("cannot run {}", printable(request.engine.front(), 1000)));
            started = true;
        }
        if (Clock::now() > give_up)
            throw Error(ErrorKind::io, fmt::format("the engine did not come up; the last line of {}: {}",
                                                   printable(log.native(), 1000), lastLineOf(log)));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

/// One direction of the relay.
struct Pipe {
    int from;
    int to;
    std::array<char, 65536> bytes;
    size_t start = 0;
    size_t end = 0;
    bool ended = false;  // nothing more comes

    bool wantsToRead() const { return !ended && start == end; }
    bool wantsToWrite() const { return start < end; }

    void receive() {
        const ssize_t received = read(from, bytes.data(), bytes.size());
        start = 0;
        end = received > 0 ? static_cast<size_t>(received) : 0;
        ended = received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR);
    }
    /// @return false when the receiver is gone
    bool transmit() {
        const ssize_t written = write(to, bytes.data() + start, end - start);
        if (written > 0)
            start += static_cast<size_t>(written);
        return written >= 0 || errno == EAGAIN || errno == EINTR;
    }
};

AttachEnd relay(int input, int output, int socket) {
    Pipe there{.from = input, .to = socket, .bytes = {}};
    Pipe back{.from = socket, .to = output, .bytes = {}};
    while (true) {
        if (there.ended && !there.wantsToWrite())
            return AttachEnd::input_ended;
        if (back.ended && !back.wantsToWrite())
            return AttachEnd::engine_ended;
        const auto readFlag = [](const Pipe& pipe) { return pipe.wantsToRead() ? POLLIN : 0; };
        const auto writeFlag = [](const Pipe& pipe) { return pipe.wantsToWrite() ? POLLOUT : 0; };
        const auto socket_events = static_cast<short>(readFlag(back) | writeFlag(there));
        std::array<pollfd, 3> watched = {{
            {there.wantsToRead() ? input : -1, POLLIN, 0},
            {back.wantsToWrite() ? output : -1, POLLOUT, 0},
            // A closed socket is always ready: unwatched, or the loop spins until the window reads on.
            {socket_events != 0 ? socket : -1, socket_events, 0},
        }};
        if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR)
            throw Error(ErrorKind::io, fmt::format("cannot wait: {}", std::strerror(errno)));
        const short hung_up = POLLHUP | POLLERR;
        if (watched[0].revents != 0)
            there.receive();
        if ((watched[2].revents & (POLLIN | hung_up)) != 0 && back.wantsToRead())
            back.receive();
        if (there.wantsToWrite() && (watched[2].revents & (POLLOUT | hung_up)) != 0 && !there.transmit())
            there.start = there.end;  // the engine is gone; its last words may still lie in the socket
        if (watched[1].revents != 0 && back.wantsToWrite() && !back.transmit())
            return AttachEnd::output_gone;
    }
}

}  // namespace

AttachEnd attach(const AttachRequest& request) {
    std::error_code error;
    std::filesystem::create_directories(request.workspace, error);
    const FileHandle socket = connectOrStart(request);
    signal(SIGPIPE, SIG_IGN);
    return relay(request.input, request.output, socket.descriptor());
}

}  // namespace spd::engine
