#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/store/rows/deletion_mark.h"
#include "core/store/run_store.h"
#include "core/store/sqlite/store_state.h"

namespace spd {
using namespace store;

namespace {

RunStatus statusOf(const std::string& text) {
    if (text == "RUNNING")
        return RunStatus::running;
    if (text == "FINISHED")
        return RunStatus::finished;
    return text == "FAILED" ? RunStatus::failed : RunStatus::killed;
}

StageStatus stageStatusOf(const std::string& text) {
    if (text == "RUNNING")
        return StageStatus::running;
    return text == "FINISHED" ? StageStatus::finished : StageStatus::skipped;
}

RunRecord runOf(SQLite::Statement& row) {
    RunRecord run;
    run.sequence = row.getColumn(0).getInt64();
    run.id = row.getColumn(1).getString();
    run.name = row.getColumn(2).getString();
    run.experiment = row.getColumn(3).getString();
    run.method = row.getColumn(4).getString();
    run.seed = optionalInteger(row.getColumn(5));
    run.point = row.getColumn(6).getString();
    run.folder = row.getColumn(7).getString();
    run.imported = row.getColumn(8).getInt64() != 0;
    run.status = statusOf(row.getColumn(9).getString());
    run.error = row.getColumn(10).getString();
    run.note = row.getColumn(11).getString();
    run.start_ms = row.getColumn(12).getInt64();
    run.end_ms = optionalInteger(row.getColumn(13));
    run.seconds = row.getColumn(14).getDouble();
    run.starts = row.getColumn(15).getInt64();
    run.program = row.getColumn(16).getString();
    run.sqlite = row.getColumn(17).getString();
    run.deleted_ms = optionalInteger(row.getColumn(18));
    run.trash = row.getColumn(19).getString();
    return run;
}

Metric metricOf(SQLite::Statement& row) {
    const SQLite::Column value = row.getColumn(2);
    return {.key = row.getColumn(0).getString(),
            .step = row.getColumn(1).getInt64(),
            .value = value.isNull() ? std::numeric_limits<double>::quiet_NaN() : value.getDouble(),
            .timestamp_ms = row.getColumn(3).getInt64()};
}

/// The rows of a statement with the values bound, each made by `make`.
template <class Make, class... Values>
auto rowsOf(SQLite::Database& database, const char* sql, const Make& make, const Values&... values) {
    SQLite::Statement statement(database, sql);
    bindAll(statement, values...);
    std::vector<decltype(make(statement))> rows;
    while (statement.executeStep())
        rows.push_back(make(statement));
    return rows;
}

KeyValue keyValueOf(SQLite::Statement& row) {
    return {row.getColumn(0).getString(), row.getColumn(1).getString()};
}

bool answersTo(const RunRecord& run, const std::string& text) {
    return run.id == text || run.name == text || run.experiment + "/" + run.name == text;
}

bool beginsWith(const RunRecord& run, const std::string& text) {
    return run.id.starts_with(text) || run.name.starts_with(text) ||
           (run.experiment + "/" + run.name).starts_with(text);
}

/// The only one that `matches`; null when none does. @throws Error invalid_argument (several)
template <class Matches>
const RunRecord* onlyOne(const std::vector<RunRecord>& runs, const std::string& text,
                         const Matches& matches) {
    const RunRecord* found = nullptr;
    std::string several;
    int count = 0;
    for (const RunRecord& run : runs) {
        if (!matches(run, text))
            continue;
        found = &run;
        if (++count <= 5)
            several += fmt::format("{}{} ({}/{})", count == 1 ? "" : ", ", run.id, run.experiment, run.name);
    }
    if (count > 1)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("\"{}\" is the beginning or name of {} runs: {}{}", printable(text), count,
                                printable(several, 1000), count > 5 ? ", ..." : ""));
    return found;
}

}  // namespace

std::vector<ExperimentRecord> RunStore::experiments() const {
    return state_->read([](SQLite::Database& database) {
        return rowsOf(
            database,
            "SELECT sequence, experiment_id, name, config, config_sha256, created_ms FROM experiments"
            " ORDER BY sequence",
            [](SQLite::Statement& row) {
                return ExperimentRecord{row.getColumn(0).getInt64(),  row.getColumn(1).getString(),
                                        row.getColumn(2).getString(), row.getColumn(3).getString(),
                                        row.getColumn(4).getString(), row.getColumn(5).getInt64()};
            });
    });
}

std::vector<RunRecord> RunStore::runs(const std::string& experiment, bool with_deleted) const {
    std::vector<RunRecord> runs = state_->read([&](SQLite::Database& database) {
        return rowsOf(database,
                      "SELECT sequence, run_id, name, experiment_id, method, seed, point, folder, imported,"
                      " status, error, note, start_ms, end_ms, seconds, starts, program, sqlite, deleted_ms,"
                      " coalesce(trash, '') FROM runs WHERE ?1 IN ('', experiment_id) ORDER BY sequence",
                      runOf, experiment);
    });
    for (RunRecord& run : runs) {
        run.folder = state_->absolute(run.folder.native());
        run.trash = state_->absolute(run.trash.native());
        if (run.deleted_ms && isMovedBack(run.folder, run.id))
            run.deleted_ms.reset();
        // What the database cannot know: whether the process that said so still lives.
        if (run.status == RunStatus::running && !isHeld(run.folder))
            run.status = RunStatus::killed;
    }
    if (!with_deleted)
        std::erase_if(runs, [](const RunRecord& run) { return run.deleted_ms.has_value(); });
    return runs;
}

RunRecord RunStore::findRun(const std::string& text) const {
    const std::vector<RunRecord> all = runs("", true);
    std::vector<RunRecord> shown = all;
    std::erase_if(shown, [](const RunRecord& run) { return run.deleted_ms.has_value(); });
    if (!text.empty()) {
        if (const RunRecord* run = onlyOne(shown, text, answersTo))
            return *run;
        if (const RunRecord* run = onlyOne(shown, text, beginsWith))
            return *run;
        for (const RunRecord& run : all)
            if (run.id == text)
                return run;
    }
    throw Error(ErrorKind::not_found,
                fmt::format("no run \"{}\" (spd runs list shows ids and names)", printable(text)));
}

std::vector<KeyValue> RunStore::params(const std::string& run) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(database, "SELECT key, value FROM params WHERE run_id = ?1 ORDER BY position",
                      keyValueOf, run);
    });
}

std::vector<KeyValue> RunStore::tags(const std::string& run) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(database, "SELECT key, value FROM tags WHERE run_id = ?1 ORDER BY key", keyValueOf,
                      run);
    });
}

std::vector<Metric> RunStore::metrics(const std::string& run, const std::string& key) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(
            database,
            "SELECT key, step, value, timestamp_ms FROM metrics WHERE run_id = ?1 AND key = ?2 ORDER BY step",
            metricOf, run, key);
    });
}

std::vector<Metric> RunStore::finalMetrics(const std::string& run) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(database,
                      "SELECT key, step, value, timestamp_ms FROM metrics AS m WHERE run_id = ?1 AND step ="
                      " (SELECT max(step) FROM metrics WHERE run_id = ?1 AND key = m.key) ORDER BY key",
                      metricOf, run);
    });
}

std::vector<Artifact> RunStore::artifacts(const std::string& run) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(
            database, "SELECT kind, path, sha256, size FROM artifacts WHERE run_id = ?1 ORDER BY sequence",
            [&](SQLite::Statement& row) {
                return Artifact{row.getColumn(0).getString(), state_->absolute(row.getColumn(1).getString()),
                                row.getColumn(2).getString(), row.getColumn(3).getInt64()};
            },
            run);
    });
}

std::vector<RecordedStage> RunStore::stages(const std::string& run) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(
            database,
            "SELECT name, status, input_sha256, output_sha256, seconds, start_ms FROM stages WHERE run_id = "
            "?1"
            " ORDER BY sequence",
            [](SQLite::Statement& row) {
                return RecordedStage{
                    row.getColumn(0).getString(), stageStatusOf(row.getColumn(1).getString()),
                    row.getColumn(2).getString(), row.getColumn(3).getString(),
                    row.getColumn(4).getDouble(), row.getColumn(5).getInt64()};
            },
            run);
    });
}

std::vector<std::string> RunStore::evalTasks(const std::string& run) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(
            database, "SELECT DISTINCT task FROM eval_examples WHERE run_id = ?1 ORDER BY task",
            [](SQLite::Statement& row) { return row.getColumn(0).getString(); }, run);
    });
}

std::vector<EvalExample> RunStore::evalExamples(const std::string& run, const std::string& task) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(
            database,
            "SELECT task, example_id, gold, answer, score, details FROM eval_examples"
            " WHERE run_id = ?1 AND task = ?2 ORDER BY sequence",
            [](SQLite::Statement& row) {
                const SQLite::Column score = row.getColumn(4);
                return EvalExample{row.getColumn(0).getString(),
                                   row.getColumn(1).getString(),
                                   row.getColumn(2).getString(),
                                   row.getColumn(3).getString(),
                                   score.isNull() ? std::nullopt : std::optional(score.getDouble()),
                                   row.getColumn(5).getString()};
            },
            run, task);
    });
}

std::vector<LineageEdge> RunStore::lineage(const std::string& run) const {
    return state_->read([&](SQLite::Database& database) {
        requireRun(database, run);
        return rowsOf(
            database,
            "SELECT from_kind, from_sha256, to_kind, to_sha256 FROM lineage WHERE run_id = ?1"
            " ORDER BY from_kind, from_sha256, to_kind, to_sha256",
            [](SQLite::Statement& row) {
                return LineageEdge{row.getColumn(0).getString(), row.getColumn(1).getString(),
                                   row.getColumn(2).getString(), row.getColumn(3).getString()};
            },
            run);
    });
}

}  // namespace spd
