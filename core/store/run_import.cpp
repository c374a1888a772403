#include <fmt/format.h>

#include "core/store/rows/run_rows.h"
#include "core/store/run_store.h"
#include "core/store/sqlite/store_state.h"

namespace spd {
using namespace store;

namespace {

/// The row of a folder that was adopted before; empty when there is none.
/// @throws Error invalid_argument: the folder is that of a run of ours
std::string adopted(SQLite::Database& database, const std::string& folder) {
    SQLite::Statement select(database,
                             "SELECT run_id, imported FROM runs WHERE folder = ?1 AND (imported = 1 OR"
                             " deleted_ms IS NULL) ORDER BY imported, sequence");
    bindAll(select, folder);
    if (!select.executeStep())
        return "";
    const std::string run = select.getColumn(0).getString();
    if (select.getColumn(1).getInt64() == 0)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{}: is the folder of run {} already", printable(folder, 1000), run));
    return run;
}

void forget(SQLite::Database& database, const std::string& run) {
    for (const char* sql :
         {"DELETE FROM params WHERE run_id = ?1", "DELETE FROM metrics WHERE run_id = ?1",
          "DELETE FROM artifacts WHERE run_id = ?1", "DELETE FROM eval_examples WHERE run_id = ?1",
          "DELETE FROM lineage WHERE run_id = ?1"})
        execute(database, sql, run);
}

}  // namespace

std::string RunStore::importRun(const ImportedRun& imported) {
    const std::string folder = state_->stored(imported.run.folder);
    std::vector<std::string> paths;
    for (const Artifact& artifact : imported.artifacts)
        paths.push_back(state_->stored(artifact.path));
    return state_->write([&](SQLite::Database& database) {
        NewRun run = imported.run;
        run.experiment = putExperiment(database, imported.run.experiment, "").id;
        std::string id = adopted(database, folder);
        if (id.empty()) {
            id = insertRun(database, run, folder, true, imported.status);
        } else {
            forget(database, id);
            execute(database,
                    "UPDATE runs SET experiment_id = ?2, method = ?3, seed = ?4, point = ?5, status = ?6,"
                    " deleted_ms = NULL WHERE run_id = ?1",
                    id, run.experiment, run.method, run.seed, run.point, std::string(name(imported.status)));
        }
        putParams(database, id, imported.params);
        putMetrics(database, id, imported.metrics);
        putArtifacts(database, id, imported.artifacts, paths);
        putExamples(database, id, imported.examples);
        putLineage(database, id, imported.lineage);
        return id;
    });
}

}  // namespace spd
