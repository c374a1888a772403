#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/store/run_records.h"

namespace SQLite {
class Database;
}

namespace spd::store {

// Rows as they are written, within a transaction of the caller. Paths come as the database keeps them.
// @throws SQLite::Exception; Error invalid_argument (a text that is not UTF-8)

/// "spd 0.1.0".
std::string programVersion();

/// NAME-HHHHHHHH.
std::string experimentIdOf(const std::string& name, const std::string& config_sha256);

/// The experiment's row, made when it is new.
ExperimentRecord putExperiment(SQLite::Database& database, const std::string& name,
                               const std::string& config);

/// @return its id, drawn
std::string insertRun(SQLite::Database& database, const NewRun& run, const std::string& folder, bool imported,
                      RunStatus status);

void putParams(SQLite::Database& database, const std::string& run, const std::vector<KeyValue>& params);
void putMetrics(SQLite::Database& database, const std::string& run, const std::vector<Metric>& metrics);
/// @param paths  stored form of each artifact's path
void putArtifacts(SQLite::Database& database, const std::string& run, const std::vector<Artifact>& artifacts,
                  const std::vector<std::string>& paths);
void putExamples(SQLite::Database& database, const std::string& run,
                 const std::vector<EvalExample>& examples);
void putLineage(SQLite::Database& database, const std::string& run, const std::vector<LineageEdge>& edges);

/// What the last start of the program said of itself.
void stampProgram(SQLite::Database& database, const std::string& run);

}  // namespace spd::store
