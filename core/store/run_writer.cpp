#include <fmt/format.h>

#include "core/store/rows/run_rows.h"
#include "core/store/run_store.h"
#include "core/store/sqlite/store_state.h"

namespace spd {
using namespace store;

void RunStore::setParams(const std::string& run, const std::vector<KeyValue>& params) {
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        putParams(database, run, params);
    });
}

void RunStore::logMetrics(const std::string& run, const std::vector<Metric>& metrics) {
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        putMetrics(database, run, metrics);
    });
}

void RunStore::setTag(const std::string& run, const KeyValue& tag) {
    requireText(tag.key, "a tag");
    requireText(tag.value, "a tag's value");
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        execute(database,
                "INSERT INTO tags (run_id, key, value) VALUES (?1, ?2, ?3)"
                " ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value",
                run, tag.key, tag.value);
    });
}

bool RunStore::removeTag(const std::string& run, const std::string& key) {
    return state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        return execute(database, "DELETE FROM tags WHERE run_id = ?1 AND key = ?2", run, key) > 0;
    });
}

void RunStore::setNote(const std::string& run, const std::string& text) {
    requireText(text, "a note");
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        execute(database, "UPDATE runs SET note = ?2 WHERE run_id = ?1", run, text);
    });
}

void RunStore::addArtifacts(const std::string& run, const std::vector<Artifact>& artifacts) {
    std::vector<std::string> paths;
    for (const Artifact& artifact : artifacts)
        paths.push_back(state_->stored(artifact.path));
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        putArtifacts(database, run, artifacts, paths);
    });
}

void RunStore::beginStage(const std::string& run, const std::string& stage, const std::string& input_sha256) {
    requireText(stage, "a stage's name");
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        execute(
            database,
            "INSERT INTO stages (run_id, name, status, input_sha256, start_ms)"
            " VALUES (?1, ?2, 'RUNNING', ?3, ?4) ON CONFLICT (run_id, name) DO UPDATE SET status = 'RUNNING',"
            " input_sha256 = excluded.input_sha256, start_ms = excluded.start_ms, output_sha256 = '', "
            "seconds = 0",
            run, stage, input_sha256, nowMilliseconds());
    });
}

void RunStore::finishStage(const std::string& run, const RecordedStage& stage) {
    if (stage.status == StageStatus::running)
        throw Error(ErrorKind::internal, "a finished stage cannot be running");
    state_->write([&](SQLite::Database& database) {
        const int changed = execute(database,
                                    "UPDATE stages SET status = ?3, input_sha256 = ?4, output_sha256 = ?5,"
                                    " seconds = ?6 WHERE run_id = ?1 AND name = ?2",
                                    run, stage.name, std::string(name(stage.status)), stage.input_sha256,
                                    stage.output_sha256, stage.seconds);
        if (changed == 0)
            throw Error(ErrorKind::not_found,
                        fmt::format("run {} has begun no stage {}", printable(run), printable(stage.name)));
    });
}

void RunStore::addEvalExamples(const std::string& run, const std::vector<EvalExample>& examples) {
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        putExamples(database, run, examples);
    });
}

void RunStore::addLineage(const std::string& run, const std::vector<LineageEdge>& edges) {
    state_->write([&](SQLite::Database& database) {
        requireRun(database, run);
        putLineage(database, run, edges);
    });
}

}  // namespace spd
