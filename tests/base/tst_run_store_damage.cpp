// Damaged, foreign and odd files in the place of the database: set aside whole or refused in one line, never
// a crash, never the same trouble at each start. And clocks that are set.

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <cstdio>
#include <map>
#include <random>

#include "core/base/error.h"
#include "core/store/metric_batch.h"
#include "core/store/run_store.h"
#include "core/store/sqlite/store_files.h"
#include "tests/support/refusal.h"
#include "tests/support/store_run.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {
std::function<int64_t()> clock_error;  // seconds that the wall clock is off
}

/// In the place of the C library's, so that the wall clock can be set here alone.
extern "C" int clock_gettime(clockid_t id, timespec* time) noexcept {
    const long result = ::syscall(SYS_clock_gettime, id, time);
    if (id == CLOCK_REALTIME && clock_error)
        time->tv_sec += clock_error();
    return static_cast<int>(result);
}

namespace {

/// A database as it lies after some work: several pages of each table.
std::string soundDatabase() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    {
        RunStore store = RunStore::open(folder.path());
        for (int64_t seed = 0; seed < 3; ++seed) {
            const std::string run = beginRun(store, "spd", seed);
            std::vector<Metric> metrics;
            for (int64_t step = 0; step < 200; ++step)
                metrics.push_back({"loss", step, 1.0 / static_cast<double>(step + 1)});
            store.logMetrics(run, metrics);
            store.setParams(run, {{"a", std::string(5000, 'p')}, {"b", "2"}});
            store.addEvalExamples(run, {{"gsm8k", "1", "4", std::string(3000, 'e'), 0.0}});
            store.setNote(run, "note");
            store.endRun(run, RunStatus::finished);
        }
    }
    return contentOf(folder / "spd.sqlite");
}

/// Everything that a user could do next. @return what was refused, if anything
std::optional<Refusal> useAll(RunStore& store) {
    return refusalOf([&] {
        for (const RunRecord& run : store.runs()) {
            store.params(run.id);
            store.finalMetrics(run.id);
            store.metrics(run.id, "loss");
            store.evalExamples(run.id, "gsm8k");
        }
        store.query("SELECT * FROM runs JOIN metrics USING (run_id) JOIN params USING (run_id)");
        const std::string run = beginRun(store, "psr", 7);
        store.logMetrics(run, {{"loss", 1, 1}});
        store.endRun(run, RunStatus::finished);
    });
}

struct Outcomes {
    int worked = 0;
    int set_aside = 0;
    int refused = 0;
    std::string text() const {
        return std::to_string(worked) + " worked, " + std::to_string(set_aside) + " set aside, " +
               std::to_string(refused) + " refused";
    }
};

fs::path damagedFolder(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (entry.path().filename().native().starts_with("spd.sqlite.damaged-"))
            return entry.path();
    return {};
}

/// Starts up to three times on `bytes`; by the last one it must have been settled.
/// @param unclean  the last process with the file open has died
void tryDatabase(const std::string& bytes, bool unclean, Outcomes& outcomes) {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    folder.put("spd.sqlite", bytes);
    if (unclean)
        folder.put(".spd.sqlite.open-abcdef", "");
    std::optional<Refusal> last;
    for (int start = 0; start < 3; ++start) {
        last = refusalOf([&] {
            RunStore store = RunStore::open(folder.path());
            for (const std::string& notice : store.notices())
                QVERIFY(notice.find('\n') == std::string::npos);
            last = useAll(store);
            if (last)
                throw Error(last->kind, last->message);
        });
        if (last) {
            QVERIFY2(last->isOneLine(), last->message.c_str());
            // A row whose text was changed may well be refused by a constraint or not be a run any more.
            QVERIFY2(last->kind != ErrorKind::out_of_memory, last->message.c_str());
        }
    }
    const fs::path aside = damagedFolder(folder.path());
    if (!aside.empty()) {
        QVERIFY(!last);
        ++outcomes.set_aside;
    } else {
        ++(last ? outcomes.refused : outcomes.worked);
    }
}

}  // namespace

class TestRunStoreDamage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { sound_ = soundDatabase(); }

    void truncated() {
        Outcomes outcomes;
        int cases = 0;
        for (size_t size = 0; size < sound_.size(); size += size < 200 ? 13 : 4093) {
            tryDatabase(sound_.substr(0, size), size % 2 == 0, outcomes);
            ++cases;
        }
        QVERIFY(outcomes.set_aside > cases / 2);
        std::printf("measured: %d truncations: %s\n", cases, outcomes.text().c_str());
    }

    void flippedBytes() {
        Outcomes clean;
        Outcomes unclean;
        std::mt19937 random(3);
        for (int i = 0; i < 200; ++i) {
            std::string bytes = sound_;
            // Half of them where the structure is: the header and the first page.
            const size_t at = random() % (i % 2 == 0 ? 2048 : bytes.size());
            bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
            if (i % 4 < 2)
                tryDatabase(bytes, false, clean);
            else
                tryDatabase(bytes, true, unclean);
        }
        std::printf("measured: 200 byte flips, after a clean end: %s; after an unclean end: %s\n",
                    clean.text().c_str(), unclean.text().c_str());
    }

    void zeroedPages() {
        Outcomes outcomes;
        constexpr size_t page = 4096;
        for (size_t at = 0; at + page <= sound_.size(); at += page) {
            std::string bytes = sound_;
            std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), page, '\0');
            tryDatabase(bytes, true, outcomes);
        }
        QVERIFY(outcomes.set_aside > 0);
        std::printf("measured: each of %zu pages zeroed: %s\n", sound_.size() / page,
                    outcomes.text().c_str());
    }

    void whatIsSetAsideKeepsItsBytes() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const std::string text = "this is no database at all, but somebody may want it back";
        folder.put("spd.sqlite", text);
        folder.put("spd.sqlite-journal", "journal of it");
        folder.put("spd.sqlite.schema-1.backup", "kept");
        RunStore store = RunStore::open(folder.path());
        QCOMPARE(store.notices().size(), size_t{1});
        QVERIFY2(store.notices()[0].find("was damaged") != std::string::npos &&
                     store.notices()[0].find("spd.sqlite.schema-1.backup") != std::string::npos,
                 store.notices()[0].c_str());
        const fs::path aside = damagedFolder(folder.path());
        QCOMPARE(contentOf(aside / "spd.sqlite"), text);
        QCOMPARE(contentOf(aside / "spd.sqlite-journal"), std::string("journal of it"));
        QVERIFY(!useAll(store));
    }

    void aDamagedFileInUseIsLeftToItsUser() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        folder.put("spd.sqlite", sound_);
        const RunStore user = RunStore::open(folder.path());
        folder.put("spd.sqlite", std::string(8192, 'x'));
        const auto refusal = refusalOf([&] { RunStore::open(folder.path()); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format &&
                refusal->says("another spd process has it open"));
        QVERIFY(damagedFolder(folder.path()).empty());
    }

    void databasesOfOthersAreNotTouched() {
        for (const std::string setup :
             {"PRAGMA application_id = 1196437808; CREATE TABLE gpkg_contents (a)", "CREATE TABLE t (a)",
              "PRAGMA user_version = 3; CREATE TABLE runs (a)",
              "PRAGMA journal_mode = WAL; PRAGMA application_id = 5; CREATE TABLE t (a)"}) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            {
                SQLite::Database other((folder / "spd.sqlite").native(),
                                       SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
                other.exec(setup);
            }
            const std::string before = contentOf(folder / "spd.sqlite");
            for (int start = 0; start < 2; ++start) {
                const auto refusal = refusalOf([&] { RunStore::open(folder.path()); });
                QVERIFY2(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine() &&
                             refusal->says("another program"),
                         setup.c_str());
            }
            QCOMPARE(contentOf(folder / "spd.sqlite"), before);
        }
    }

    void aNewerSchemaIsReadAndNotWritten() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        folder.put("spd.sqlite", sound_);
        SQLite::Database((folder / "spd.sqlite").native(), SQLite::OPEN_READWRITE)
            .exec("PRAGMA user_version = 99; ALTER TABLE runs ADD COLUMN future TEXT");
        const std::string before = contentOf(folder / "spd.sqlite");
        {
            RunStore store = RunStore::open(folder.path());
            QVERIFY(store.readOnly() && store.notices().size() == 1);
            QVERIFY(store.notices()[0].find("schema 99") != std::string::npos);
            QCOMPARE(store.runs().size(), size_t{3});
            const auto refusal = refusalOf([&] { store.setNote(store.runs()[0].id, "x"); });
            QVERIFY(refusal && refusal->kind == ErrorKind::io && refusal->says("read-only"));
        }
        QCOMPARE(contentOf(folder / "spd.sqlite"), before);
    }

    void aTableThatIsAnotherIsRefused() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        folder.put("spd.sqlite", sound_);
        {
            SQLite::Database mine((folder / "spd.sqlite").native(), SQLite::OPEN_READWRITE);
            mine.exec("CREATE TABLE my_notes (a); CREATE VIEW v AS SELECT * FROM runs");
        }
        QVERIFY(RunStore::open(folder.path()).notices().empty());  // what a user adds is theirs
        SQLite::Database((folder / "spd.sqlite").native(), SQLite::OPEN_READWRITE).exec("DROP TABLE tags");
        const auto refusal = refusalOf([&] { RunStore::open(folder.path()); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format &&
                refusal->says("\"tags\" of schema 1 is missing"));
    }

    void walIsTurnedOff() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        folder.put("spd.sqlite", sound_);
        SQLite::Database((folder / "spd.sqlite").native(), SQLite::OPEN_READWRITE)
            .exec("PRAGMA journal_mode = WAL");
        RunStore store = RunStore::open(folder.path());
        QVERIFY(!useAll(store));
        QCOMPARE(static_cast<int>(contentOf(folder / "spd.sqlite")[18]), 1);  // the header's write version
    }

    void oddFiles() {
        const auto refusalIn = [](const std::function<void(const fs::path&)>& make) {
            const TemporaryFolder folder;
            make(folder / "spd.sqlite");
            return refusalOf([&] { RunStore::open(folder.path()); });
        };
        const TemporaryFolder elsewhere;
        elsewhere.put("real.sqlite", sound_);
        const auto link =
            refusalIn([&](const fs::path& path) { fs::create_symlink(elsewhere / "real.sqlite", path); });
        QVERIFY(link && link->kind == ErrorKind::file_format && link->says("symbolic link"));
        const auto dangling =
            refusalIn([](const fs::path& path) { fs::create_symlink("/nonexistent/x", path); });
        QVERIFY(dangling && dangling->says("symbolic link"));
        const auto fifo = refusalIn([](const fs::path& path) { ::mkfifo(path.c_str(), 0600); });
        QVERIFY(fifo && fifo->says("not a regular file"));
        const auto directory = refusalIn([](const fs::path& path) { fs::create_directory(path); });
        QVERIFY(directory && directory->says("not a regular file"));
        QCOMPARE(contentOf(elsewhere / "real.sqlite"), sound_);

        fs::create_hard_link(elsewhere / "real.sqlite", elsewhere / "spd.sqlite");
        const RunStore store = RunStore::open(elsewhere.path());
        QVERIFY(store.notices().size() == 1 && store.notices()[0].find("hard links") != std::string::npos);
        QCOMPARE(store.runs().size(), size_t{3});
        const auto file = refusalOf([&] { RunStore::open(elsewhere / "real.sqlite"); });
        QVERIFY(file && file->kind == ErrorKind::invalid_argument && file->says("is a file"));
    }

    void aFolderWithoutWritePermissionIsRead() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        folder.put("spd.sqlite", sound_);
        ::chmod(folder.path().c_str(), 0555);
        const pid_t child = ::fork();
        if (child == 0) {
            if (::geteuid() == 0 && ::setuid(65534) != 0)
                ::_exit(9);
            int code = 1;
            const auto failure = refusalOf([&] {
                RunStore store = RunStore::open(folder.path());
                const auto refusal = refusalOf([&] { store.setNote(store.runs()[0].id, "x"); });
                const bool is_right = store.readOnly() && store.runs().size() == 3 && refusal &&
                                      refusal->kind == ErrorKind::io && refusal->says("read-only") &&
                                      store.query("SELECT 1").rows.size() == 1;
                code = is_right ? 0 : 2;
            });
            if (failure)
                std::fprintf(stderr, "child: %s\n", failure->message.c_str());
            ::_exit(code);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        QCOMPARE(WEXITSTATUS(status), 0);
        QCOMPARE(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
        ::chmod(folder.path().c_str(), 0755);
    }

    void networkFileSystemsAreNamed() {
        QCOMPARE(store::networkFileSystem(0x6969), std::string_view("NFS"));
        QCOMPARE(store::networkFileSystem(0xFF534D42), std::string_view("CIFS"));
        for (const unsigned long local : {0xEF53UL, 0x01021994UL, 0x9123683EUL, 0x58465342UL, 0x794C7630UL})
            QVERIFY(store::networkFileSystem(local).empty());  // ext4, tmpfs, btrfs, XFS, overlayfs
    }

    void clocksThatAreSet() {
        int64_t calls = 0;
        const std::vector<std::function<int64_t()>> errors = {
            [] { return int64_t{-365} * 86400; }, [] { return int64_t{3650} * 86400; },
            [&] { return (++calls % 2) * 3600; }, [&] { return -(++calls) * 100'000; }};
        for (const std::function<int64_t()>& error : errors) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            RunStore store = RunStore::open(folder.path());
            std::vector<std::string> runs = {beginRun(store, "spd", 0)};
            store.logMetrics(runs[0], {{"loss", 1, 1}});
            clock_error = error;
            for (int64_t seed = 1; seed < 5; ++seed)
                runs.push_back(beginRun(store, "spd", seed));
            store.logMetrics(runs[0], {{"loss", 2, 2}});
            MetricBatch batch(store, runs[1]);
            for (int64_t step = 0; step < 50; ++step)
                batch.add({"loss", step, 0});
            QCOMPARE(store.metrics(runs[1], "loss").size(), size_t{1});  // a second has not passed
            store.endRun(runs[0], RunStatus::finished);
            clock_error = nullptr;
            QCOMPARE(store.finalMetrics(runs[0])[0].value, 2.0);
            QVERIFY(store.findRun(runs[0]).seconds > 0 && store.findRun(runs[0]).seconds < 60);
            for (size_t i = 0; i < runs.size(); ++i)
                QCOMPARE(store.runs()[i].id, runs[i]);
        }
    }

private:
    std::string sound_;
};

QTEST_GUILESS_MAIN(TestRunStoreDamage)
#include "tst_run_store_damage.moc"
