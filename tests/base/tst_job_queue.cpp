// Jobs wait, run one at a time, end in every way, are kept, and say no more than ten things a second.

#include <QTest>
#include <atomic>
#include <new>
#include <thread>

#include "core/engine/job_queue.h"
#include "core/protocol/message.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::engine;
using namespace spd::protocol;
using namespace std::chrono_literals;
using nlohmann::ordered_json;

namespace {

/// Kinds whose jobs do as their params say.
std::map<std::string, JobKind> kinds(std::atomic<bool>* release = nullptr) {
    JobKind counting;
    counting.resumable = true;
    counting.check = [](const ordered_json& params) {
        if (params.contains("bad"))
            throw Error(ErrorKind::invalid_argument, "bad");
        ordered_json completed = params;
        completed["checked"] = true;
        return completed;
    };
    counting.run = [release](const ordered_json& params, JobChannel& channel, const JobContext& context) {
        const int64_t steps = params.value("steps", int64_t{0});
        for (int64_t step = 0; step < steps; ++step) {
            context.checkStop();
            context.report({.phase = "count", .done = step + 1, .total = steps});
            channel.metric({{"step", step}, {"loss", 1.0 / static_cast<double>(step + 1)}});
        }
        while (release != nullptr && !*release) {
            context.checkStop();
            std::this_thread::sleep_for(1ms);
        }
        const std::string end = params.value("end", "");
        if (end == "error")
            throw Error(ErrorKind::io, "disk full").withDetails({"one", "two"});
        if (end == "memory")
            throw std::bad_alloc();
        if (end == "other")
            throw std::runtime_error("what\nelse");
        context.say("done");
        return ordered_json{{"steps", steps}};
    };
    return {{"count", counting}};
}

struct Engine {
    explicit Engine(const std::filesystem::path& folder, std::atomic<bool>* release = nullptr)
        : jobs(folder, kinds(release), events) {}

    ordered_json job(const std::string& id) const {
        for (const ordered_json& job : jobs.list())
            if (job["job"] == id)
                return job;
        return nullptr;
    }
    std::string stateOf(const std::string& id) const { return job(id).value("state", "none"); }
    bool reaches(const std::string& id, const std::string& state) const {
        for (int i = 0; i < 2000 && stateOf(id) != state; ++i)
            std::this_thread::sleep_for(5ms);
        return stateOf(id) == state;
    }
    std::vector<ordered_json> said(const std::string& method) const {
        std::vector<ordered_json> found;
        const std::string lines = events.read(1, SIZE_MAX).lines;
        for (size_t start = 0; start < lines.size();) {
            const size_t end = lines.find('\n', start);
            const ordered_json message = ordered_json::parse(lines.substr(start, end - start));
            if (message["method"] == method)
                found.push_back(message["params"]);
            start = end + 1;
        }
        return found;
    }

    EventLog events{EventLog::Limits{}, {}};
    JobQueue jobs;
};

std::string refusal(const std::function<void()>& action) {
    try {
        action();
    } catch (const Refusal& refused) {
        return refused.failure().kind;
    } catch (const Error& error) {
        return failureOf(error).kind;
    }
    return "";
}

}  // namespace

class TestJobQueue : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aJobRunsAndIsKept() {
        const test::TemporaryFolder folder;
        std::string id;
        {
            Engine engine(folder / "jobs");
            engine.jobs.begin();
            id = engine.jobs.start("count", {{"steps", 1000}}, "a thousand").id;
            QVERIFY(engine.reaches(id, "finished"));
            QVERIFY(engine.job(id)["result"] == ordered_json({{"steps", 1000}}));
            QVERIFY(engine.job(id)["params"]["checked"] == true);
            QVERIFY(engine.said("job.progress").back()["done"] == 1000);  // the last is never dropped
            size_t points = 0;
            for (const ordered_json& event : engine.said("job.metrics")) {
                QVERIFY(event["first"] == points);
                points += event["points"].size();
            }
            QCOMPARE(points, size_t{1000});
            QCOMPARE(engine.said("log").size(), size_t{1});
        }
        Engine later(folder / "jobs");
        QCOMPARE(later.stateOf(id), std::string("finished"));
        const JobFiles::Points read = later.jobs.metrics(id, 990, 100);
        QVERIFY(read.next == 1000 && read.points.size() == 10 && read.points[0]["step"] == 990);
        QCOMPARE(later.jobs.log(id, 10).size(), size_t{1});
        later.jobs.begin();
        QVERIFY(later.jobs.start("count", {}, "").id > id);
    }

    void progressIsLimited() {
        const test::TemporaryFolder folder;
        Engine engine(folder / "jobs");
        std::atomic<bool> over = false;
        std::thread io([&] {
            while (!over) {
                engine.jobs.flush();
                std::this_thread::sleep_for(1ms);
            }
        });
        const auto start = std::chrono::steady_clock::now();
        engine.jobs.begin();
        const std::string id = engine.jobs.start("count", {{"steps", 200'000}}, "").id;
        const bool finished = engine.reaches(id, "finished");
        over = true;
        io.join();
        QVERIFY(finished);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const auto sent = static_cast<double>(engine.said("job.progress").size());
        QVERIFY2(sent <= 10 * seconds + 2, qPrintable(QString("%1 in %2 s").arg(sent).arg(seconds)));
        QVERIFY(engine.said("job.progress").back()["done"] == 200'000);
    }

    void everyEndIsSaid() {
        const test::TemporaryFolder folder;
        Engine engine(folder / "jobs");
        engine.jobs.begin();
        const std::string error = engine.jobs.start("count", {{"end", "error"}}, "").id;
        const std::string memory = engine.jobs.start("count", {{"end", "memory"}}, "").id;
        const std::string other = engine.jobs.start("count", {{"end", "other"}}, "").id;
        QVERIFY(engine.reaches(other, "failed"));
        QVERIFY(engine.job(error)["error"]["kind"] == "io");
        QCOMPARE(engine.job(error)["error"]["details"].size(), size_t{2});
        QVERIFY(engine.job(memory)["error"]["kind"] == "out_of_memory");
        QVERIFY(engine.job(other)["error"]["message"] == "internal error: what\\x0aelse");
    }

    void theQueueIsOrderedMovedAndCut() {
        const test::TemporaryFolder folder;
        std::atomic<bool> release = false;
        Engine engine(folder / "jobs", &release);
        engine.jobs.begin();
        std::vector<std::string> ids;
        for (int i = 0; i < 4; ++i)
            ids.push_back(engine.jobs.start("count", {}, "").id);
        QVERIFY(engine.reaches(ids[0], "running"));
        QVERIFY(engine.job(ids[3])["position"] == 2);
        engine.jobs.move(ids[3], 0);
        QVERIFY(engine.job(ids[3])["position"] == 0);
        QVERIFY(engine.job(ids[1])["position"] == 1);
        engine.jobs.cancel(ids[1]);
        QCOMPARE(engine.stateOf(ids[1]), std::string("cancelled"));
        QCOMPARE(refusal([&] { engine.jobs.move(ids[1], 0); }), std::string("busy"));
        QCOMPARE(refusal([&] { engine.jobs.remove(ids[0]); }), std::string("busy"));
        QCOMPARE(refusal([&] { engine.jobs.cancel("job-000099"); }), std::string("not_found"));
        QCOMPARE(refusal([&] { engine.jobs.start("dance", {}, ""); }), std::string("invalid_params"));
        QCOMPARE(refusal([&] {
                     engine.jobs.start("count", {{"bad", 1}}, "");
                 }),
                 std::string("invalid_argument"));
        engine.jobs.remove(ids[1]);
        QVERIFY(engine.job(ids[1]).is_null());
        engine.jobs.cancel(ids[0]);
        QVERIFY(engine.reaches(ids[0], "cancelled"));
        QVERIFY(engine.reaches(ids[3], "running"));
        release = true;
        QVERIFY(engine.reaches(ids[2], "finished"));
        QVERIFY(engine.job(ids[3])["ended"] <= engine.job(ids[2])["started"]);
        QCOMPARE(refusal([&] { engine.jobs.resume(ids[2]); }), std::string("busy"));
        engine.jobs.resume(ids[0]);
        QVERIFY(engine.reaches(ids[0], "finished"));
    }

    void whatAnEngineLeftIsInterrupted() {
        const test::TemporaryFolder folder;
        std::string ran, waited;
        {
            std::atomic<bool> release = false;
            Engine engine(folder / "jobs", &release);
            engine.jobs.begin();
            ran = engine.jobs.start("count", {{"steps", 5}}, "").id;
            waited = engine.jobs.start("count", {}, "").id;
            QVERIFY(engine.reaches(ran, "running"));
            while (engine.said("job.metrics").empty())
                engine.jobs.flush();
            std::filesystem::copy(folder / "jobs", folder / "killed",
                                  std::filesystem::copy_options::recursive);
            engine.jobs.end();  // in order: what ran is cancelled, what waited interrupted
            QCOMPARE(engine.stateOf(ran), std::string("cancelled"));
            QCOMPARE(engine.stateOf(waited), std::string("interrupted"));
        }
        folder.put("killed/job-000077.json", "{\"job\": 3}");
        folder.put("killed/job-000078.json", "not json");
        Engine later(folder / "killed");
        QCOMPARE(later.stateOf(ran), std::string("interrupted"));
        QCOMPARE(later.stateOf(waited), std::string("interrupted"));
        QCOMPARE(later.jobs.unread().size(), size_t{2});
        later.jobs.begin();
        later.jobs.resume(ran);
        QVERIFY(later.reaches(ran, "finished"));
        QVERIFY(later.said("job.metrics").back()["first"] == 5);  // behind those of before
    }

    void aSlowReaderLosesOnlyTheOldest() {
        EventLog events({.events = 100, .bytes = 1 << 20}, {});
        for (int i = 0; i < 250; ++i)
            events.append("log", {{"lines", {std::to_string(i)}}});
        QCOMPARE(events.oldest(), int64_t{151});
        EventLog::Piece piece = events.read(1, 1);
        const ordered_json lost = ordered_json::parse(piece.lines);
        QVERIFY(lost["method"] == "events.lost");
        QVERIFY(lost["params"] == ordered_json({{"from", 1}, {"to", 150}}));
        QCOMPARE(piece.next, int64_t{151});
        piece = events.read(piece.next, 1);
        QVERIFY(ordered_json::parse(piece.lines)["params"]["seq"] == 151);
        events.append("log", {{"lines", {std::string(2 << 20, 'x')}}});  // larger than all: kept alone
        QCOMPARE(events.oldest(), int64_t{251});
    }
};

QTEST_APPLESS_MAIN(TestJobQueue)
#include "tst_job_queue.moc"
