#include "core/store/run_store.h"

#include <fmt/format.h>

#include <thread>

#include "core/base/sha256.h"
#include "core/store/rows/deletion_mark.h"
#include "core/store/rows/run_rows.h"
#include "core/store/sqlite/query.h"
#include "core/store/sqlite/store_state.h"

namespace spd {
namespace fs = std::filesystem;
using namespace store;

namespace {

/// The lock of a run's folder. A reader that looks whether it is held may hold it for an instant.
FileLock lockRun(const fs::path& folder) {
    for (int attempt = 0; attempt < 50; ++attempt) {
        if (std::optional<FileLock> lock = FileLock::tryLock(lockFileOf(folder)))
            return std::move(*lock);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw Error(ErrorKind::invalid_argument,
                fmt::format("{}: another process is at this run", printable(folder.native(), 1000)));
}

struct RunAndFolder {
    std::string run;
    std::string folder;
};

std::vector<RunAndFolder> select(SQLite::Database& database, const char* sql) {
    SQLite::Statement statement(database, sql);
    std::vector<RunAndFolder> rows;
    while (statement.executeStep())
        rows.push_back({statement.getColumn(0).getString(), statement.getColumn(1).getString()});
    return rows;
}

}  // namespace

RunStore::RunStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;
RunStore::~RunStore() = default;

RunStore RunStore::open(const fs::path& workspace) {
    RunStore store(std::make_unique<State>(workspace));
    if (!store.readOnly())
        store.settleRuns();
    return store;
}

void RunStore::settleRuns() {
    std::vector<RunAndFolder> dead = state_->read([](SQLite::Database& database) {
        return select(database, "SELECT run_id, folder FROM runs WHERE status = 'RUNNING'");
    });
    std::erase_if(dead, [&](const RunAndFolder& row) { return isHeld(state_->absolute(row.folder)); });
    std::vector<RunAndFolder> restored = state_->read([](SQLite::Database& database) {
        return select(database, "SELECT run_id, folder FROM runs WHERE deleted_ms IS NOT NULL");
    });
    std::erase_if(restored, [&](const RunAndFolder& row) {
        return !isMovedBack(state_->absolute(row.folder), row.run);
    });
    if (dead.empty() && restored.empty())
        return;
    try {
        state_->write([&](SQLite::Database& database) {
            for (const RunAndFolder& row : dead)
                execute(database,
                        "UPDATE runs SET status = 'KILLED' WHERE run_id = ?1 AND status = 'RUNNING'",
                        row.run);
            for (const RunAndFolder& row : restored)
                execute(database, "UPDATE runs SET deleted_ms = NULL, trash = NULL WHERE run_id = ?1",
                        row.run);
        });
        for (const RunAndFolder& row : restored)
            removeDeletionMark(state_->absolute(row.folder));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::io)
            throw;
        state_->notices.push_back(error.what());  // reading is still of use on a full disk
    }
}

const std::vector<std::string>& RunStore::notices() const {
    return state_->notices;
}
bool RunStore::readOnly() const {
    return state_->read_only;
}
const fs::path& RunStore::workspace() const {
    return state_->workspace;
}
fs::path RunStore::path() const {
    return state_->file;
}

std::string RunStore::experimentId(const std::string& name, const std::string& resolved_toml) {
    return experimentIdOf(name, sha256Hex(resolved_toml));
}

ExperimentRecord RunStore::beginExperiment(const std::string& name, const std::string& resolved_toml) {
    return state_->write(
        [&](SQLite::Database& database) { return putExperiment(database, name, resolved_toml); });
}

std::string RunStore::beginRun(const NewRun& run) {
    const std::string folder = state_->stored(run.folder);
    FileLock lock = lockRun(run.folder);
    const std::string id = state_->write([&](SQLite::Database& database) {
        SQLite::Statement select(
            database,
            "SELECT run_id FROM runs WHERE experiment_id = ?1 AND method = ?2 AND seed IS ?3"
            " AND point = ?4 AND folder = ?5 AND deleted_ms IS NULL");
        bindAll(select, run.experiment, run.method, run.seed, run.point, folder);
        if (!select.executeStep())
            return insertRun(database, run, folder, false, RunStatus::running);
        const std::string found = select.getColumn(0).getString();
        execute(database,
                "UPDATE runs SET status = 'RUNNING', error = '', end_ms = NULL, starts = starts + 1"
                " WHERE run_id = ?1",
                found);
        stampProgram(database, found);
        return found;
    });
    state_->begun.emplace(id, State::BegunRun{std::move(lock), std::chrono::steady_clock::now()});
    return id;
}

void RunStore::endRun(const std::string& run, RunStatus status, const std::string& error) {
    const auto found = state_->begun.find(run);
    if (found == state_->begun.end() || status == RunStatus::running)
        throw Error(ErrorKind::internal, fmt::format("run {} cannot be ended here", printable(run)));
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - found->second.start;
    state_->write([&](SQLite::Database& database) {
        execute(
            database,
            "UPDATE runs SET status = ?2, error = ?3, end_ms = ?4, seconds = seconds + ?5 WHERE run_id = ?1",
            run, std::string(name(status)), printable(error, 2000), nowMilliseconds(), passed.count());
    });
    state_->begun.erase(found);
}

QueryResult RunStore::query(const std::string& sql, const QueryLimits& limits) const {
    // A journal that a killed writer left is rolled back by this handle; one that only reads could not.
    state_->read([](SQLite::Database& database) { return integerOf(database, "PRAGMA user_version"); });
    return runQuery(state_->file, sql, limits);
}

std::vector<std::string> RunStore::checkIntegrity() const {
    return state_->read([](SQLite::Database& database) {
        std::vector<std::string> problems;
        SQLite::Statement check(database, "PRAGMA integrity_check");
        while (check.executeStep())
            if (const std::string line = check.getColumn(0).getString(); line != "ok")
                problems.push_back(line);
        SQLite::Statement keys(database, "PRAGMA foreign_key_check");
        while (keys.executeStep())
            problems.push_back(fmt::format("a row of {} has no parent in {}", keys.getColumn(0).getString(),
                                           keys.getColumn(2).getString()));
        return problems;
    });
}

}  // namespace spd
