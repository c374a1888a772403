#include "core/store/rows/run_rows.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cmath>
#include <ctime>
#include <random>

#include "core/base/sha256.h"
#include "core/store/sqlite/store_state.h"

namespace spd::store {
namespace {

/// The name as a part of a file name: letters, digits and . _ - stay.
std::string slugOf(const std::string& name) {
    constexpr size_t most_bytes = 48;
    std::string slug;
    for (const char c : name.substr(0, most_bytes)) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '_' || c == '-' || (c == '.' && !slug.empty());
        slug += is_plain ? c : '-';
    }
    return slug;
}

std::string drawRunId() {
    std::random_device random;
    return fmt::format("{:06x}{:06x}", random() & 0xFFFFFFU, random() & 0xFFFFFFU);
}

/// Of the local time zone; for people who read the database elsewhere.
int64_t utcOffsetMinutes() {
    const std::time_t now = std::time(nullptr);
    std::tm local = {};
    localtime_r(&now, &local);
    return local.tm_gmtoff / 60;
}

std::string sqliteBuild() {
    std::string text = sqlite3_libversion();
    for (int i = 0; const char* option = sqlite3_compileoption_get(i); ++i)
        text += fmt::format(" {}", option);
    return text;
}

/// Runs one prepared statement again and again.
template <class... Values>
void repeat(SQLite::Statement& statement, const Values&... values) {
    statement.reset();
    bindAll(statement, values...);
    statement.exec();
}

}  // namespace

std::string experimentIdOf(const std::string& name, const std::string& config_sha256) {
    return fmt::format("{}-{}", slugOf(name), config_sha256.substr(0, 8));
}

ExperimentRecord putExperiment(SQLite::Database& database, const std::string& name,
                               const std::string& config) {
    requireText(name, "an experiment's name");
    requireText(config, "an experiment's settings");
    ExperimentRecord record;
    record.name = name;
    record.config = config;
    record.config_sha256 = sha256Hex(config);
    record.id = experimentIdOf(name, record.config_sha256);
    execute(database,
            "INSERT INTO experiments (experiment_id, name, config, config_sha256, created_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (experiment_id) DO NOTHING",
            record.id, name, config, record.config_sha256, nowMilliseconds());
    SQLite::Statement select(database,
                             "SELECT sequence, created_ms FROM experiments"
                             " WHERE experiment_id = ?1 AND config_sha256 = ?2");
    bindAll(select, record.id, record.config_sha256);
    if (!select.executeStep())
        throw Error(ErrorKind::internal, fmt::format("two experiments would have the id {}", record.id));
    record.sequence = select.getColumn(0).getInt64();
    record.created_ms = select.getColumn(1).getInt64();
    return record;
}

std::string insertRun(SQLite::Database& database, const NewRun& run, const std::string& folder, bool imported,
                      RunStatus status) {
    requireText(run.point, "a point's label");
    SQLite::Statement select(database, "SELECT 1 FROM experiments WHERE experiment_id = ?1");
    bindAll(select, run.experiment);
    if (!select.executeStep())
        throw Error(ErrorKind::not_found,
                    fmt::format("no experiment {} in the database", printable(run.experiment)));
    const std::string id = drawRunId();
    const std::filesystem::path path(folder);
    execute(database,
            "INSERT INTO runs (run_id, experiment_id, name, method, seed, point, folder, imported, status,"
            " start_ms, utc_offset_minutes, program, sqlite)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            id, run.experiment, path.filename().native(), run.method, run.seed, run.point, folder,
            int64_t{imported}, std::string(name(status)), nowMilliseconds(), utcOffsetMinutes(),
            programVersion(), sqliteBuild());
    return id;
}

void stampProgram(SQLite::Database& database, const std::string& run) {
    execute(database, "UPDATE runs SET program = ?2, sqlite = ?3 WHERE run_id = ?1", run, programVersion(),
            sqliteBuild());
}

void putParams(SQLite::Database& database, const std::string& run, const std::vector<KeyValue>& params) {
    execute(database, "DELETE FROM params WHERE run_id = ?1", run);
    SQLite::Statement insert(database,
                             "INSERT INTO params (run_id, key, value, position) VALUES (?1, ?2, ?3, ?4)"
                             " ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value");
    int64_t position = 0;
    for (const KeyValue& param : params) {
        requireText(param.key, "a param's key");
        requireText(param.value, "a param's value");
        repeat(insert, run, param.key, param.value, position++);
    }
}

void putMetrics(SQLite::Database& database, const std::string& run, const std::vector<Metric>& metrics) {
    SQLite::Statement insert(database,
                             "INSERT INTO metrics (run_id, key, step, value, timestamp_ms)"
                             " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (run_id, key, step)"
                             " DO UPDATE SET value = excluded.value, timestamp_ms = excluded.timestamp_ms");
    const int64_t now = nowMilliseconds();
    for (const Metric& metric : metrics) {
        requireText(metric.key, "a metric's key");
        const std::optional<double> value =
            std::isnan(metric.value) ? std::nullopt : std::optional(metric.value);
        repeat(insert, run, metric.key, metric.step, value,
               metric.timestamp_ms == 0 ? now : metric.timestamp_ms);
    }
}

void putArtifacts(SQLite::Database& database, const std::string& run, const std::vector<Artifact>& artifacts,
                  const std::vector<std::string>& paths) {
    SQLite::Statement insert(
        database,
        "INSERT INTO artifacts (run_id, kind, path, sha256, size) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (run_id, path) DO UPDATE"
        " SET kind = excluded.kind, sha256 = excluded.sha256, size = excluded.size");
    for (size_t i = 0; i < artifacts.size(); ++i)
        repeat(insert, run, artifacts[i].kind, paths[i], artifacts[i].sha256, artifacts[i].size);
}

void putExamples(SQLite::Database& database, const std::string& run,
                 const std::vector<EvalExample>& examples) {
    SQLite::Statement insert(
        database,
        "INSERT INTO eval_examples (run_id, task, example_id, gold, answer, score, details)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (run_id, task, example_id) DO UPDATE"
        " SET gold = excluded.gold, answer = excluded.answer, score = excluded.score, details = "
        "excluded.details");
    for (const EvalExample& example : examples) {
        for (const std::string* text :
             {&example.task, &example.id, &example.gold, &example.answer, &example.details})
            requireText(*text, "a text of an evaluated example");
        repeat(insert, run, example.task, example.id, example.gold, example.answer, example.score,
               example.details);
    }
}

void putLineage(SQLite::Database& database, const std::string& run, const std::vector<LineageEdge>& edges) {
    SQLite::Statement insert(
        database,
        "INSERT OR IGNORE INTO lineage (run_id, from_kind, from_sha256, to_kind, to_sha256)"
        " VALUES (?1, ?2, ?3, ?4, ?5)");
    for (const LineageEdge& edge : edges)
        repeat(insert, run, edge.from_kind, edge.from_sha256, edge.to_kind, edge.to_sha256);
}

}  // namespace spd::store
