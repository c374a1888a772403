// An engine with made-up jobs behind its real socket and its real relay: several clients, a slow one, hostile
// lines, ends of every side.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <QTest>
#include <atomic>
#include <thread>

#include "core/base/error.h"
#include "core/engine/attach.h"
#include "core/engine/engine_socket.h"
#include "core/engine/server.h"
#include "tests/support/engine_line_client.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::engine;
using namespace spd::test;
using namespace std::chrono_literals;
using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

JobKind busyKind() {
    JobKind kind;
    kind.resumable = true;
    kind.check = [](const ordered_json& params) { return params; };
    kind.run = [](const ordered_json& params, JobChannel& channel, const JobContext& context) {
        const std::string text(params.value("bytes", size_t{10}), 'x');
        const int64_t steps = params.value("steps", int64_t{1'000'000'000});
        for (int64_t step = 0; step < steps; ++step) {  // one core, never asleep
            context.checkStop();
            context.report({.phase = "busy", .done = step, .total = steps});
            if (params.value("output", false))
                channel.output({{"text", text}});
        }
        return ordered_json::object();
    };
    return kind;
}

/// A server in a thread.
class RunningServer {
public:
    explicit RunningServer(const std::filesystem::path& workspace, std::chrono::milliseconds linger = 60s,
                           EventLog::Limits events = {})
        : server_({.workspace = workspace,
                   .program = "spd test",
                   .threads = 1,
                   .linger = linger,
                   .events = events}) {
        server_.addJobKind("busy", busyKind());
        server_.addQuery("slow", [](const ordered_json&) {
            std::this_thread::sleep_for(500ms);
            return ordered_json{{"slept", true}};
        });
        thread_ = std::thread([this] {
            server_.run(stop_.get_token());
            ended_ = true;
        });
    }
    ~RunningServer() {
        stop_.request_stop();
        thread_.join();
    }
    bool ended() const { return ended_; }
    std::unique_ptr<EngineLineClient> client(const std::filesystem::path& workspace) const {
        for (int i = 0; i < 1000; ++i, std::this_thread::sleep_for(5ms))
            if (auto socket = connectTo(workspace)) {
                const int descriptor = fcntl(socket->descriptor(), F_DUPFD_CLOEXEC, 0);
                return std::make_unique<EngineLineClient>(descriptor, descriptor);
            }
        return nullptr;
    }

private:
    Server server_;
    std::stop_source stop_;
    std::atomic<bool> ended_ = false;
    std::thread thread_;
};

bool isState(const ordered_json& message, const char* state) {
    return message["method"] == "job.changed" && message["params"]["state"] == state;
}

}  // namespace

class TestEngineServer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void helloComesFirstAndVersionsMustAgree() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path());
        const auto client = server.client(folder.path());
        QVERIFY(client->ask("ping")["error"]["code"] == -32600);
        const ordered_json refused = client->ask("hello", {{"protocol", 99}})["error"];
        QVERIFY(refused["message"].get<std::string>().find("protocol 99") != std::string::npos);
        const ordered_json hello = client->greet();
        QVERIFY(hello["engine"] == "spd test" && hello["pid"] == getpid());
        QVERIFY(client->ask("ping")["result"].is_object());
        QVERIFY(client->ask("dance")["error"]["code"] == -32601);
        QVERIFY(client->ask("jobs.cancel", {{"job", 3}})["error"]["code"] == -32602);
        QVERIFY(client->ask("jobs.cancel", {{"job", "x"}, {"y", 1}})["error"]["code"] == -32602);
        QVERIFY(client->ask("jobs.cancel", {{"job", "x"}})["error"]["code"] == -32001);
    }

    void oneEngineAWorkspace() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path());
        QVERIFY(server.client(folder.path()));
        try {
            const Server second({.workspace = folder.path(), .program = "", .threads = 1});
            QFAIL("two engines");
        } catch (const Error& error) {
            QCOMPARE(error.exitCode(), 2);
        }
    }

    void hostileLinesAreAnsweredAndPassed() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path());
        const auto client = server.client(folder.path());
        client->greet();
        client->write("garbage\n\n[1]\n\x80\xff\n");
        for (int i = 0; i < 4; ++i)
            QVERIFY(client->next().at("error").at("code").get<int>() <= -32600);
        client->write(std::string(size_t{100} << 20, '{') + "\n");
        QVERIFY(client->next()["error"]["code"] == -32700);
        QVERIFY(client->ask("ping")["result"].is_object());
    }

    void theEngineAnswersAtOnceWhileAJobRuns() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path());
        const auto client = server.client(folder.path());
        client->greet();
        const ordered_json started = client->ask("jobs.start", {{"kind", "busy"}});
        const std::string id = started["result"]["job"]["job"];
        client->event([](const ordered_json& event) { return isState(event, "running"); });
        const int64_t slow = client->send("slow");
        double worst = 0;
        for (int i = 0; i < 200; ++i) {
            const Clock::time_point start = Clock::now();
            QVERIFY(client->ask("ping")["result"].is_object());
            worst = std::max(worst, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
            std::this_thread::sleep_for(1ms);
        }
        qInfo("measured: slowest of 200 answers beside a busy job %.1f ms", worst);
        QVERIFY(worst < 200);
        QVERIFY(client->responseTo(slow)["result"]["slept"] == true);
        client->ask("jobs.cancel", {{"job", id}});
        const Clock::time_point asked = Clock::now();
        QVERIFY(
            !client->event([](const ordered_json& event) { return isState(event, "cancelled"); }).is_null());
        QVERIFY(Clock::now() - asked < 1s);
    }

    void aWaitingRequestCanBeCancelled() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path());
        const auto client = server.client(folder.path());
        client->greet();
        const int64_t first = client->send("slow");
        const int64_t second = client->send("slow");
        client->write(R"({"jsonrpc":"2.0","method":"$/cancel","params":{"id":)" + std::to_string(second) +
                      "}}\n");
        QVERIFY(client->responseTo(second)["error"]["code"] == -32800);
        QVERIFY(client->responseTo(first)["result"]["slept"] == true);
    }

    void twoClientsSeeTheSameAndALaterOneCatchesUp() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path());
        const auto one = server.client(folder.path());
        const auto two = server.client(folder.path());
        const ordered_json hello = one->greet();
        two->greet();
        one->ask("jobs.start", {{"kind", "busy"}, {"params", {{"steps", 1000}}}});
        const auto finished = [](const ordered_json& event) { return isState(event, "finished"); };
        const ordered_json first = one->event(finished);
        QVERIFY(first == two->event(finished));
        const auto late = server.client(folder.path());
        late->ask("hello", {{"protocol", 1}});
        const ordered_json same = late->ask("subscribe", {{"session", hello["session"]}, {"from", 1}});
        QVERIFY(same["result"]["gap"] == false);
        QVERIFY(late->event(finished) == first);
        const auto other = server.client(folder.path());
        other->ask("hello", {{"protocol", 1}});
        QVERIFY(other->ask("subscribe", {{"session", "before"}, {"from", 1}})["result"]["gap"] == true);
    }

    /// A client that does not read while an engine says hundreds of megabytes: the job is not slowed, memory
    /// stays bounded by the log, and the client learns what it has lost.
    void aSlowClientSlowsNobody() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path(), 60s, {.events = 1000, .bytes = size_t{1} << 20});
        const auto slow = server.client(folder.path());
        slow->greet();
        const auto quick = server.client(folder.path());
        quick->greet();
        quick->ask("jobs.start",
                   {{"kind", "busy"}, {"params", {{"steps", 3000}, {"output", true}, {"bytes", 100'000}}}});
        QVERIFY(
            !quick->event([](const ordered_json& event) { return isState(event, "finished"); }).is_null());
        QVERIFY(!slow->event([](const ordered_json& event) { return event["method"] == "events.lost"; })
                     .is_null());
        QVERIFY(!slow->event([](const ordered_json& event) { return isState(event, "finished"); }).is_null());
    }

    void itEndsWhenNobodyNeedsIt() {
        const TemporaryFolder folder;
        const RunningServer server(folder.path(), 300ms);
        {
            const auto client = server.client(folder.path());
            client->greet();
            client->ask("jobs.start", {{"kind", "busy"}});
        }
        std::this_thread::sleep_for(900ms);
        QVERIFY(!server.ended());  // the job goes on without a client
        auto client = server.client(folder.path());
        client->greet();
        const ordered_json job = client->ask("jobs.list")["result"]["jobs"][0];
        QVERIFY(job["state"] == "running");
        client->ask("jobs.cancel", {{"job", job["job"]}});
        std::this_thread::sleep_for(900ms);
        QVERIFY(!server.ended());  // a client is there
        client.reset();
        std::this_thread::sleep_for(100ms);
        QVERIFY(!server.ended());  // and was there until now
    }

    void shutdownSavesWhatRuns() {
        const TemporaryFolder folder;
        {
            const RunningServer server(folder.path());
            const auto client = server.client(folder.path());
            client->greet();
            client->ask("jobs.start", {{"kind", "busy"}});
            client->event([](const ordered_json& event) { return isState(event, "running"); });
            client->ask("shutdown");
            for (int i = 0; i < 1000 && !server.ended(); ++i)
                std::this_thread::sleep_for(5ms);
            QVERIFY(server.ended());
            QVERIFY(!client->event([](const ordered_json& event) { return isState(event, "cancelled"); })
                         .is_null());
            QVERIFY(client->next().is_null() && client->atEnd());
        }
        QVERIFY(!std::filesystem::exists(folder / "engine.sock"));
    }

    void theRelayCarriesBothWaysAndEndsWithEitherSide() {
        const TemporaryFolder folder;
        const std::filesystem::path deep = folder / std::string(90, 'd') / std::string(90, 'e');
        std::filesystem::create_directories(deep);  // longer than a socket's own path may be
        auto server = std::make_unique<RunningServer>(deep);
        QVERIFY(server->client(deep));
        for (const bool engine_ends : {false, true}) {
            std::array<int, 2> to{}, from{};
            QVERIFY(pipe2(to.data(), O_CLOEXEC) == 0 && pipe2(from.data(), O_CLOEXEC) == 0);
            auto window = std::make_unique<EngineLineClient>(from[0], to[1]);
            std::atomic<int> end = -1;
            std::thread relay([&] {
                end = static_cast<int>(
                    attach({.workspace = deep, .engine = {}, .input = to[0], .output = from[1]}));
                close(to[0]);
                close(from[1]);
            });
            window->greet();
            const std::string large(3'000'000, 'y');
            QVERIFY(window->ask("jobs.start",
                                {{"kind", "busy"},
                                 {"params", {{"text", large}}}})["result"]["job"]["params"]["text"] == large);
            if (engine_ends)
                server.reset();
            else
                window.reset();
            while (window && !window->atEnd() && end == -1)
                window->next(100ms);
            relay.join();
            QVERIFY((end == static_cast<int>(AttachEnd::engine_ended)) ==
                    engine_ends);  // else the window is gone
        }
        try {
            attach({.workspace = folder.path(), .engine = {}});
            QFAIL("no engine is there");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::not_found);
        }
    }
};

QTEST_APPLESS_MAIN(TestEngineServer)
#include "tst_engine_server.moc"
