#include "core/engine/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine_socket.h"
#include "core/protocol/job.h"

namespace spd::engine {
namespace {

using protocol::Code;
using protocol::Refusal;
using protocol::Request;
using protocol::Response;

constexpr size_t kMaxClients = 64;

FileLock takeLock(const std::filesystem::path& workspace) {
    std::optional<FileLock> lock = FileLock::tryLock(workspace / kLockName);
    if (!lock)
        throw Error(ErrorKind::invalid_argument, fmt::format("{}: another engine serves this workspace",
                                                             printable(workspace.native(), 1000)));
    return std::move(*lock);
}

}  // namespace

Server::Server(ServerSetup setup)
    : setup_(std::move(setup)),
      lock_(takeLock(setup_.workspace)),
      wake_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      session_(sixLetters() + sixLetters()),
      started_(protocol::currentTime()),
      events_(setup_.events, [this] { wake(); }),
      last_wanted_(Clock::now()) {
    if (!wake_event_)
        throwSystemError(setup_.workspace, "cannot make an event");
}

Server::~Server() = default;

void Server::wake() const noexcept {
    const uint64_t one = 1;
    (void)!write(wake_event_.descriptor(), &one, sizeof(one));
}

void Server::run(const std::stop_token& stop) {
    const std::stop_callback wake_on_stop(stop, [this] { wake(); });
    jobs_ = std::make_unique<JobQueue>(setup_.workspace / "engine" / "jobs", kinds_, events_);
    query_thread_ = std::make_unique<QueryThread>([this] { wake(); });
    addMethods();
    for (const std::string& line : jobs_->unread())
        events_.append("log", {{"lines", {line}}});
    listener_ = listenAt(setup_.workspace);
    jobs_->begin();
    loop(stop);
    unlink((setup_.workspace / kSocketName).c_str());
    listener_.reset();
    query_thread_->end();  // what it answers with may go when this returns
    jobs_->end();
    deliverAnswers();
    for (auto& [id, client] : clients_)
        client.transmit(events_);
    clients_.clear();
}

void Server::loop(const std::stop_token& stop) {
    while (!stop.stop_requested() && !ending_ && isWanted()) {
        const bool quiet = jobs_->idle();
        std::chrono::milliseconds limit = quiet ? setup_.linger : JobChannel::kInterval;
        if (ending_when_idle_ && quiet)
            return;
        std::map<int64_t, short> ready;
        bool new_client = false;
        waitForAny(limit, ready, new_client);
        isWanted();  // of who leaves now: its time counts from here, not from before the wait
        if (new_client)
            acceptClients();
        jobs_->flush();
        serve(ready);
        deliverAnswers();
        for (auto client = clients_.begin(); client != clients_.end();) {
            const bool gone = !client->second.transmit(events_);
            if (gone)
                query_thread_->forget(client->first);
            client = gone ? clients_.erase(client) : std::next(client);
        }
    }
}

bool Server::isWanted() {
    if (!clients_.empty() || !jobs_->idle())
        last_wanted_ = Clock::now();
    return Clock::now() - last_wanted_ < setup_.linger;
}

void Server::waitForAny(std::chrono::milliseconds limit, std::map<int64_t, short>& ready, bool& new_client) {
    std::vector<pollfd> watched = {{wake_event_.descriptor(), POLLIN, 0},
                                   {listener_.descriptor(), POLLIN, 0}};
    std::vector<int64_t> ids;
    for (const auto& [id, client] : clients_) {
        const int events = (client.mayReceive() ? POLLIN : 0) | (client.isBlocked() ? POLLOUT : 0);
        watched.push_back({client.descriptor(), static_cast<short>(events), 0});
        ids.push_back(id);
    }
    if (poll(watched.data(), watched.size(), static_cast<int>(limit.count())) < 0 && errno != EINTR)
        throwSystemError(setup_.workspace / kSocketName, "cannot wait");
    if (watched[0].revents != 0) {
        uint64_t count = 0;
        (void)!read(wake_event_.descriptor(), &count, sizeof(count));
    }
    new_client = watched[1].revents != 0;
    for (size_t i = 0; i < ids.size(); ++i)
        if (watched[i + 2].revents != 0)
            ready[ids[i]] = watched[i + 2].revents;
}

void Server::acceptClients() {
    while (true) {
        FileHandle socket(accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket)
            return;
        if (clients_.size() >= kMaxClients)
            continue;  // closed
        const int64_t id = next_client_++;
        clients_.try_emplace(id, id, std::move(socket));
    }
}

void Server::serve(const std::map<int64_t, short>& ready) {
    for (const auto& [id, events] : ready) {
        Connection& client = clients_.at(id);
        if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !readFrom(client)) {
            client.transmit(events_);
            query_thread_->forget(id);
            clients_.erase(id);
        }
    }
}

bool Server::readFrom(Connection& client) {
    const bool open = client.receive();
    while (auto line = client.nextLine())
        handleLine(client, *line);
    return open;
}

void Server::handleLine(Connection& client, const protocol::LineSplitter::Line& line) {
    try {
        if (line.too_long)
            throw Refusal(Code::parse_error,
                          fmt::format("a line is longer than {} bytes", protocol::kMaxRequestBytes));
        protocol::Message message = protocol::parseMessage(line.text, protocol::kMaxRequestBytes);
        if (auto* request = std::get_if<Request>(&message))
            handle(client, std::move(*request));
        else if (auto* note = std::get_if<protocol::Notification>(&message);
                 note != nullptr && note->method == "$/cancel" && note->params.contains("id"))
            query_thread_->cancel(client.id(), note->params["id"]);
    } catch (const Refusal& refusal) {
        client.send(toLine(Response{nullptr, refusal.failure()}));
    }
}

void Server::deliverAnswers() {
    for (QueryThread::Answer& answer : query_thread_->takeAnswers()) {
        const auto client = clients_.find(answer.connection);
        if (client != clients_.end())
            client->second.send(toLine(answer.response));
    }
}

}  // namespace spd::engine
