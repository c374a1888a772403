// A database of schema 1 is led to later schemas, killed in front of each statement, by two processes at
// once: it is of the old schema or of the new one, never between, and the backup beside it has the old rows.

#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <cstdio>
#include <stdexcept>

#include "core/base/error.h"
#include "core/store/run_store.h"
#include "core/store/sqlite/connection.h"
#include "core/store/sqlite/migrations.h"
#include "tests/support/refusal.h"
#include "tests/support/store_run.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace spd::store;
namespace fs = std::filesystem;

namespace {

/// Schema 1 and two that only this test knows: a column and an index; then a table that others refer to, made
/// anew.
std::vector<Migration> laterMigrations() {
    std::vector<Migration> all(migrations().begin(), migrations().end());
    all.push_back({2,
                   "ALTER TABLE runs ADD COLUMN host TEXT NOT NULL DEFAULT '';\n"
                   "CREATE INDEX metrics_by_key ON metrics (key);  -- a comment;\n"
                   "UPDATE runs SET host = 'h' || seed;"});
    all.push_back({3,
                   "CREATE TABLE experiments_3 (experiment_id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL,"
                   " config TEXT NOT NULL, config_sha256 TEXT NOT NULL, created_ms INTEGER NOT NULL,"
                   " sequence INTEGER NOT NULL) STRICT;\n"
                   "INSERT INTO experiments_3 SELECT experiment_id, name, config, config_sha256, created_ms,"
                   " sequence FROM experiments;\n"
                   "DROP TABLE experiments;\n"
                   "ALTER TABLE experiments_3 RENAME TO experiments;"});
    return all;
}

void makeSchema1(const fs::path& folder) {
    RunStore store = RunStore::open(folder);
    for (int64_t seed = 0; seed < 3; ++seed) {
        const std::string run = beginRun(store, "spd", seed);
        store.logMetrics(run, {{"loss", 1, 0.5}, {"loss", 2, 0.25}});
        store.setParams(run, {{"a", "1"}});
        store.endRun(run, RunStatus::finished);
    }
}

/// The rows that every schema has, as one text.
std::string rowsOf(const fs::path& file) {
    SQLite::Database database(file.native(), SQLite::OPEN_READONLY);
    std::string text;
    for (const char* sql : {"SELECT experiment_id || config_sha256 FROM experiments ORDER BY 1",
                            "SELECT run_id || method || seed || folder || status FROM runs ORDER BY sequence",
                            "SELECT run_id || key || step || value FROM metrics ORDER BY 1",
                            "SELECT run_id || key || value FROM params ORDER BY 1"}) {
        SQLite::Statement select(database, sql);
        while (select.executeStep())
            text += select.getColumn(0).getString() + "\n";
    }
    return text;
}

int64_t versionOf(const fs::path& file) {
    SQLite::Database database(file.native(), SQLite::OPEN_READONLY);
    return database.execAndGet("PRAGMA user_version").getInt64();
}

std::string integrityOf(const fs::path& file) {
    SQLite::Database database(file.native(), SQLite::OPEN_READONLY);
    return database.execAndGet("PRAGMA integrity_check").getString();
}

std::optional<fs::path> migrateTo3(const fs::path& file, const BeforeStatement& before = {}) {
    SQLite::Database database = store::connect(file, Access::write);
    useRollbackJournal(database);
    return migrate(database, file, laterMigrations(), before);
}

pid_t startMigration(const fs::path& file, const BeforeStatement& before = {}) {
    const pid_t child = ::fork();
    if (child != 0)
        return child;
    try {
        migrateTo3(file, before);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
        ::_exit(1);
    }
    ::_exit(0);
}

int waitFor(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

class TestRunStoreMigrations : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void rowsAreKeptBehindABackup() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        makeSchema1(folder.path());
        const fs::path file = folder / "spd.sqlite";
        const std::string before = rowsOf(file);
        const std::optional<fs::path> backup = migrateTo3(file);
        QVERIFY(backup && backup->filename() == "spd.sqlite.schema-1.backup");
        QCOMPARE(versionOf(file), 3);
        QCOMPARE(rowsOf(file), before);
        QCOMPARE(versionOf(*backup), 1);
        QCOMPARE(rowsOf(*backup), before);
        QCOMPARE(integrityOf(file), std::string("ok"));
        QCOMPARE(integrityOf(*backup), std::string("ok"));
        QVERIFY(!migrateTo3(file));  // nothing more to do, no second backup
        SQLite::Database database = store::connect(file, Access::write);
        QVERIFY(schemaDifference(database, laterMigrations()).empty());
        QVERIFY(identify(database, laterMigrations()).kind == Identity::Kind::ours);
        QVERIFY(identify(database, migrations()).kind == Identity::Kind::newer);
    }

    void killedInFrontOfEachStatement() {
        const TemporaryFolder made(TemporaryFolder::On::memory);
        makeSchema1(made.path());
        const std::string bytes = contentOf(made / "spd.sqlite");
        const std::string rows = rowsOf(made / "spd.sqlite");
        int kills = 0;
        for (int at = 0;; ++at) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            const fs::path file = folder.put("spd.sqlite", bytes);
            const pid_t child = startMigration(file, [at](int number) {
                if (number == at)
                    ::kill(::getpid(), SIGKILL);
            });
            const int code = waitFor(child);
            if (code == 0)
                break;  // past the last one
            QCOMPARE(code, 128 + SIGKILL);
            ++kills;
            QCOMPARE(rowsOf(file), rows);
            QCOMPARE(versionOf(file), 1);
            QCOMPARE(rowsOf(folder / "spd.sqlite.schema-1.backup"), rows);
            QVERIFY(migrateTo3(file));
            QCOMPARE(versionOf(file), 3);
            QCOMPARE(rowsOf(file), rows);
            QCOMPARE(integrityOf(file), std::string("ok"));
            QCOMPARE(rowsOf(folder / "spd.sqlite.schema-1.backup"), rows);  // the first one stays
            QVERIFY(fs::exists(folder / "spd.sqlite.schema-1.backup-2"));
        }
        QVERIFY(kills >= 10);
        std::printf("measured: %d kills between the statements of two migrations, old or new each time\n",
                    kills);
    }

    void aNewDatabaseKilledWhileItIsMade() {
        int kills = 0;
        for (int at = 0;; ++at) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            const fs::path file = folder / "spd.sqlite";
            const pid_t child = ::fork();
            if (child == 0) {
                SQLite::Database database = store::connect(file, Access::write);
                useRollbackJournal(database);
                migrate(database, file, migrations(), [at](int number) {
                    if (number == at)
                        ::kill(::getpid(), SIGKILL);
                });
                ::_exit(0);
            }
            if (waitFor(child) == 0)
                break;
            ++kills;
            RunStore store = RunStore::open(folder.path());
            QVERIFY(store.runs().empty());
            makeSchema1(folder.path());
            QCOMPARE(store.runs().size(), size_t{3});
        }
        QVERIFY(kills >= 13);
    }

    void twoProcessesAtOnce() {
        const TemporaryFolder made(TemporaryFolder::On::memory);
        makeSchema1(made.path());
        const std::string bytes = contentOf(made / "spd.sqlite");
        const std::string rows = rowsOf(made / "spd.sqlite");
        constexpr int rounds = 20;
        for (int round = 0; round < rounds; ++round) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            const fs::path file = folder.put("spd.sqlite", bytes);
            const std::vector<pid_t> children = {startMigration(file), startMigration(file)};
            for (const pid_t child : children)
                QCOMPARE(waitFor(child), 0);
            QCOMPARE(versionOf(file), 3);
            QCOMPARE(rowsOf(file), rows);
            QVERIFY(!fs::exists(folder / "spd.sqlite.schema-1.backup-2"));
        }
        std::printf("measured: %d pairs of processes migrated one database each, rows kept\n", rounds);
    }

    void aMigrationThatBreaksKeysIsUndone() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        makeSchema1(folder.path());
        const fs::path file = folder / "spd.sqlite";
        const std::string rows = rowsOf(file);
        for (const char* sql :
             {"DELETE FROM experiments;", "UPDATE nosuch SET a = 1;", "CREATE TABLE x (a); SELECT 1/;"}) {
            std::vector<Migration> bad(migrations().begin(), migrations().end());
            bad.push_back({2, sql});
            bool failed = false;
            {
                SQLite::Database database = store::connect(file, Access::write);
                try {
                    migrate(database, file, bad);
                } catch (const std::exception&) {
                    failed = true;
                }
            }
            QVERIFY(failed);
            QCOMPARE(versionOf(file), 1);
            QCOMPARE(rowsOf(file), rows);
        }
        QVERIFY(RunStore::open(folder.path()).notices().empty());
    }
};

QTEST_GUILESS_MAIN(TestRunStoreMigrations)
#include "tst_run_store_migrations.moc"
