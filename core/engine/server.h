#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "core/base/file_lock.h"
#include "core/engine/connection.h"
#include "core/engine/event_log.h"
#include "core/engine/job_queue.h"
#include "core/engine/query_thread.h"

namespace spd::engine {

/// What an engine is made of besides its messages.
struct ServerSetup {
    std::filesystem::path workspace;  ///< is there
    std::string program;              ///< "spd 0.1.0"
    int threads = 1;                  ///< that jobs compute with; told to clients
    /// Without clients and jobs for so long, it ends.
    std::chrono::milliseconds linger{60'000};
    EventLog::Limits events = {};
};

/// The engine of a workspace: a socket, its clients, its jobs. run() is the I/O thread, which only moves
/// bytes and answers from memory; requests that read files go to a QueryThread, jobs to JobQueue's worker.
class Server {
public:
    /// Takes WORKSPACE/engine.lock. @throws Error invalid_argument (another engine serves this workspace);
    /// not_found, io
    explicit Server(ServerSetup setup);
    ~Server();

    EventLog& events() { return events_; }
    /// Before run(). A later query of the same name replaces an earlier one.
    void addQuery(const std::string& method, Query query) { queries_[method] = std::move(query); }
    void addJobKind(const std::string& kind, JobKind job_kind) { kinds_[kind] = std::move(job_kind); }

    /// Serves until `stop`, a shutdown request, or until nobody has needed it for `linger`. A running job is
    /// stopped and saved first. @throws Error io
    void run(const std::stop_token& stop);

private:
    using Clock = std::chrono::steady_clock;

    void addMethods();
    nlohmann::ordered_json hello(Connection& client, const nlohmann::ordered_json& params);
    nlohmann::ordered_json subscribe(Connection& client, const nlohmann::ordered_json& params);
    nlohmann::ordered_json shutdown(const nlohmann::ordered_json& params);

    void loop(const std::stop_token& stop);
    void waitForAny(std::chrono::milliseconds limit, std::map<int64_t, short>& ready, bool& new_client);
    void acceptClients();
    void serve(const std::map<int64_t, short>& ready);
    bool readFrom(Connection& client);
    void handleLine(Connection& client, const protocol::LineSplitter::Line& line);
    void handle(Connection& client, protocol::Request request);
    void deliverAnswers();
    bool isWanted();
    void wake() const noexcept;

    ServerSetup setup_;
    FileLock lock_;
    FileHandle wake_event_;
    FileHandle listener_;
    const std::string session_;
    const int64_t started_;
    EventLog events_;
    std::map<std::string, Query> queries_;  // answered by the query thread
    std::map<std::string, Query> at_once_;  // answered by the I/O thread, from memory
    std::map<std::string, JobKind> kinds_;
    std::unique_ptr<JobQueue> jobs_;
    std::unique_ptr<QueryThread> query_thread_;
    std::map<int64_t, Connection> clients_;
    int64_t next_client_ = 1;
    Clock::time_point last_wanted_;
    bool ending_ = false;
    bool ending_when_idle_ = false;
};

}  // namespace spd::engine
