// Several processes write at once, are killed at random moments, start together, wait for somebody else's
// lock, meet a full disk: nothing that was returned is lost, nobody sees an error that is not theirs.

#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>

#include "core/base/error.h"
#include "core/store/run_store.h"
#include "tests/support/refusal.h"
#include "tests/support/store_run.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

/// Runs `action` in a process of its own; 0 when it ended without an error, which is printed.
pid_t start(const std::function<void()>& action) {
    const pid_t child = ::fork();
    if (child != 0)
        return child;
    int code = 0;
    try {
        action();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
        code = 1;
    }
    ::_exit(code);
}

/// Exit code, or 128 + signal.
int waitFor(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Syncs cost a thousand times more on a busy disk, and a killed process does not need them.
TemporaryFolder::On where() {
    return std::getenv("SPD_ON_DISK") != nullptr ? TemporaryFolder::On::disk : TemporaryFolder::On::memory;
}

int64_t commitsWanted() {
    const char* text = std::getenv("SPD_COMMITS");
    return text != nullptr ? std::atoll(text) : 10'000;
}

}  // namespace

class TestRunStoreProcesses : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void fourWritersAndAReader() {
        constexpr int writers = 4;
        const int64_t each = commitsWanted() / writers;
        const TemporaryFolder folder(where());
        const auto begin = std::chrono::steady_clock::now();
        std::vector<pid_t> children;
        for (int writer = 0; writer < writers; ++writer)
            children.push_back(start([&, writer] {
                RunStore store = RunStore::open(folder.path());
                const std::string run = beginRun(store, "spd", writer);
                for (int64_t step = 1; step <= each; ++step)
                    store.logMetrics(run, {{"loss", step, static_cast<double>(step * (writer + 1))}});
                store.endRun(run, RunStatus::finished);
            }));
        const pid_t reader = start([&] {
            const RunStore store = RunStore::open(folder.path());
            for (;;)
                for (const RunRecord& run : store.runs())
                    (void)store.finalMetrics(run.id);
        });
        for (const pid_t child : children)
            QCOMPARE(waitFor(child), 0);
        ::kill(reader, SIGKILL);
        QCOMPARE(waitFor(reader), 128 + SIGKILL);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;

        const RunStore store = RunStore::open(folder.path());
        QVERIFY(store.notices().empty());
        QCOMPARE(store.runs().size(), size_t{writers});
        for (const RunRecord& run : store.runs()) {
            QVERIFY(run.status == RunStatus::finished);
            const std::vector<Metric> loss = store.metrics(run.id, "loss");
            QCOMPARE(static_cast<int64_t>(loss.size()), each);
            for (int64_t step = 1; step <= each; ++step)
                QCOMPARE(loss[static_cast<size_t>(step - 1)].value,
                         static_cast<double>(step * (*run.seed + 1)));
        }
        QVERIFY(store.checkIntegrity().empty());
        std::printf("measured: %d writers and a reader, %lld commits in %.1f s, none lost, none refused\n",
                    writers, static_cast<long long>(each * writers), seconds.count());
    }

    /// The child says what was returned to it; SIGKILL at a random moment.
    void killedDuringCommits() {
        const TemporaryFolder folder(where());
        std::mt19937 random(7);
        int64_t acknowledged = 0;
        int kept_more = 0;
        constexpr int kills = 40;
        for (int kill = 0; kill < kills; ++kill) {
            int ends[2];
            QCOMPARE(::pipe(ends), 0);
            const pid_t child = start([&] {
                RunStore store = RunStore::open(folder.path());
                const std::string run = beginRun(store, "spd", kill);
                for (int32_t step = 1;; ++step) {
                    store.logMetrics(run, {{"a", step, 1.0}, {"b", step, 2.0}});
                    if (::write(ends[1], &step, sizeof step) != sizeof step)
                        return;
                }
            });
            ::close(ends[1]);
            int32_t step = 0;
            if (kill % 4 != 0)  // one in four may be killed before it has recorded anything
                QCOMPARE(::read(ends[0], &step, sizeof step), static_cast<ssize_t>(sizeof step));
            ::usleep(static_cast<useconds_t>(random() % 12000));
            ::kill(child, SIGKILL);
            QCOMPARE(waitFor(child), 128 + SIGKILL);
            while (::read(ends[0], &step, sizeof step) == sizeof step)
                ;
            ::close(ends[0]);
            acknowledged += step;

            const RunStore store = RunStore::open(folder.path());
            QVERIFY(store.checkIntegrity().empty());
            QVERIFY(store.notices().empty());
            const std::vector<RunRecord> runs = store.runs();
            if (step == 0 && (runs.empty() || runs.back().seed != kill))
                continue;  // killed before it began
            QVERIFY(runs.back().seed == kill && runs.back().status == RunStatus::killed);
            const size_t found = store.metrics(runs.back().id, "a").size();
            QCOMPARE(store.metrics(runs.back().id, "b").size(), found);  // all of a call or nothing
            QVERIFY(found == static_cast<size_t>(step) || found == static_cast<size_t>(step) + 1);
            kept_more += found > static_cast<size_t>(step) ? 1 : 0;
        }
        QVERIFY(acknowledged >= kills * 3 / 4);
        std::printf(
            "measured: %d kills during commits, %lld acknowledged rows there, %d calls done and not told\n",
            kills, static_cast<long long>(acknowledged), kept_more);
    }

    void processesThatStartTogether() {
        constexpr int rounds = 10;
        for (int round = 0; round < rounds; ++round) {
            const TemporaryFolder folder(where());
            std::vector<pid_t> children;
            for (int i = 0; i < 4; ++i)
                children.push_back(start([&, i] {
                    RunStore store = RunStore::open(folder / "workspace");
                    if (!store.notices().empty())
                        throw std::runtime_error(store.notices()[0]);
                    store.endRun(beginRun(store, "spd", i), RunStatus::finished);
                }));
            for (const pid_t child : children)
                QCOMPARE(waitFor(child), 0);
            const RunStore store = RunStore::open(folder / "workspace");
            QCOMPARE(store.runs().size(), size_t{4});
            QCOMPARE(store.experiments().size(), size_t{1});
        }
    }

    /// Another program at the file (a backup tool, sqlite3): wait, do not fail.
    void anExternalLockIsWaitedFor() {
        const TemporaryFolder folder(where());
        RunStore store = RunStore::open(folder.path());
        const std::string run = beginRun(store, "spd");
        const char* text = std::getenv("SPD_LOCK_SECONDS");
        const double wanted = text != nullptr ? std::atof(text) : 0.7;
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const fs::path file = store.path();
        const pid_t holder = start([&] {
            SQLite::Database other(file.native(), SQLite::OPEN_READWRITE);
            other.exec("BEGIN EXCLUSIVE");
            (void)!::write(ready[1], "r", 1);
            ::usleep(static_cast<useconds_t>(wanted * 1e6));
            other.exec("COMMIT");
        });
        char byte = 0;
        QCOMPARE(::read(ready[0], &byte, 1), ssize_t{1});
        const auto begin = std::chrono::steady_clock::now();
        store.logMetrics(run, {{"loss", 1, 1}});
        const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
        QVERIFY(waited.count() > wanted * 0.8);
        QCOMPARE(waitFor(holder), 0);
        QCOMPARE(store.metrics(run, "loss").size(), size_t{1});
    }

    /// A writer died between journal and commit while this store was open: its half is rolled back, also in
    /// front of a query, whose own handle could not.
    void anothersJournalIsRolledBack() {
        const TemporaryFolder folder(where());
        RunStore store = RunStore::open(folder.path());
        const std::string run = beginRun(store, "spd");
        store.setTag(run, {"kept", "1"});
        const fs::path file = store.path();
        const pid_t child = start([&] {
            SQLite::Database other(file.native(), SQLite::OPEN_READWRITE);
            other.exec(
                "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE tags SET value = '2';"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)"
                " INSERT INTO metrics SELECT run_id, 'm', i, 1.0, 1 FROM runs, n");  // spills into the file
            ::kill(::getpid(), SIGKILL);
        });
        QCOMPARE(waitFor(child), 128 + SIGKILL);
        QVERIFY(fs::file_size(fs::path(file).concat("-journal")) > 0);
        QCOMPARE(*store.query("SELECT value FROM tags").rows[0][0], std::string("1"));
        QVERIFY(store.metrics(run, "m").empty() && store.checkIntegrity().empty());
    }

    /// RLIMIT_FSIZE stands for a full disk, for the database and for its journal.
    void aFullDiskLosesNothing() {
        int failures = 0;
        for (rlim_t room = 0; room < 60'000; room += 4'999) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            const pid_t child = start([&] {
                ::signal(SIGXFSZ, SIG_IGN);
                RunStore store = RunStore::open(folder.path());
                const std::string run = beginRun(store, "spd");
                const rlimit little = {fs::file_size(store.path()) + room, RLIM_INFINITY};
                ::setrlimit(RLIMIT_FSIZE, &little);
                int64_t step = 0;
                const auto write = [&] { store.setTag(run, {std::to_string(step), std::string(1000, 'x')}); };
                std::optional<Refusal> refusal;
                while (!(refusal = refusalOf(write)))
                    ++step;
                if (refusal->kind != ErrorKind::io || !refusal->isOneLine() ||
                    !refusal->says("nothing of this was recorded"))
                    throw std::runtime_error(refusal->message);
                if (!refusalOf(write))  // still full: refused again, and reading goes on
                    throw std::runtime_error("written to a full disk");
                if (static_cast<int64_t>(store.tags(run).size()) != step)
                    throw std::runtime_error("a row was lost, or kept that was refused");
                const rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
                ::setrlimit(RLIMIT_FSIZE, &all);
                write();  // the same call on the same store, now that there is room
                if (static_cast<int64_t>(store.tags(run).size()) != step + 1 ||
                    !store.checkIntegrity().empty())
                    throw std::runtime_error("not whole afterwards");
            });
            QCOMPARE(waitFor(child), 0);
            ++failures;
        }
        std::printf("measured: %d full disks told, no committed row lost, all written once there was room\n",
                    failures);
    }
};

QTEST_GUILESS_MAIN(TestRunStoreProcesses)
#include "tst_run_store_processes.moc"
