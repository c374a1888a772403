#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spd {

// What the run database keeps, as values. Texts are UTF-8 without NUL; times are milliseconds since 1970 in
// UTC and information only (clocks are set): order is the order of `sequence`, durations are seconds of a
// steady clock. Hashes are SHA-256 in lower-case hex.

enum class RunStatus {
    running,   ///< the process that holds the run's lock file is at it
    finished,  ///< all its stages are done
    failed,    ///< ended by an error; the run's `error` says which
    killed,    ///< cancelled, or its process died
};

/// "RUNNING", "FINISHED", "FAILED", "KILLED".
std::string_view name(RunStatus status);

struct ExperimentRecord {
    int64_t sequence = 0;
    std::string id;  ///< NAME-HHHHHHHH: the name as a file name, eight digits of the hash; names its folder
    std::string name;
    std::string config;  ///< the resolved TOML
    std::string config_sha256;
    int64_t created_ms = 0;
};

/// What makes a run one: the same experiment, method, seed and point in the same folder is the same run.
struct NewRun {
    std::string experiment;       ///< an ExperimentRecord's id
    std::string method;           ///< "base", "psr", "ssd", "spd"; imported ones: the command
    std::optional<int64_t> seed;  ///< none where the folder does not tell
    std::string point;            ///< ExperimentPoint::label
    std::filesystem::path folder;
};

struct RunRecord {
    int64_t sequence = 0;
    std::string id;    ///< twelve hex digits, drawn
    std::string name;  ///< the folder's name: METHOD-sSEED[-POINT]
    std::string experiment;
    std::string method;
    std::optional<int64_t> seed;
    std::string point;
    std::filesystem::path folder;  ///< absolute
    bool imported = false;         ///< adopted from a folder of somebody else's, which is never moved
    RunStatus status = RunStatus::running;
    std::string error;
    std::string note;
    int64_t start_ms = 0;
    std::optional<int64_t> end_ms;
    double seconds = 0;   ///< of all its starts; 0 for one that died
    int64_t starts = 0;   ///< how often it was begun or resumed
    std::string program;  ///< "spd 0.1.0"
    std::string sqlite;   ///< library version and compile options
    std::optional<int64_t> deleted_ms;
    std::filesystem::path trash;  ///< where a deleted run's files lie; empty: nowhere
};

/// A param or a tag.
struct KeyValue {
    std::string key;
    std::string value;
};

struct Metric {
    std::string key;
    int64_t step = 0;
    double value = 0;          ///< NaN and infinities are kept
    int64_t timestamp_ms = 0;  ///< 0 when logged: now
};

struct Artifact {
    std::string kind;            ///< "subspace", "corpus", "adapter", "results", ...
    std::filesystem::path path;  ///< absolute
    std::string sha256;
    int64_t size = 0;  ///< bytes
};

enum class StageStatus {
    running,
    finished,
    skipped,  ///< its output was there, made from the same inputs
};

/// "RUNNING", "FINISHED", "SKIPPED".
std::string_view name(StageStatus status);

struct RecordedStage {
    std::string name;
    StageStatus status = StageStatus::running;
    std::string input_sha256;
    std::string output_sha256;  ///< empty while it runs
    double seconds = 0;
    int64_t start_ms = 0;
};

struct EvalExample {
    std::string task;
    std::string id;  ///< unique within run and task
    std::string gold;
    std::string answer;           ///< what was scored
    std::optional<double> score;  ///< none: could not be scored
    std::string details = "{}";   ///< a JSON object
};

/// One was made from the other.
struct LineageEdge {
    std::string from_kind;  ///< as Artifact::kind
    std::string from_sha256;
    std::string to_kind;
    std::string to_sha256;
};

/// Rows of a question in SQL; each cell as text, none for NULL. REAL values in the fewest digits that read
/// back.
struct QueryResult {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
    std::vector<std::vector<char>>
        types;         ///< of each cell: 'i' integer, 'r' real, 't' text, 'b' blob (as hex), 'n'
    bool cut = false;  ///< there were more rows than the limit
};

struct QueryLimits {
    int64_t rows = 10'000;
    double seconds = 10;
    int64_t bytes = int64_t{64} << 20;  ///< of all cells together
};

}  // namespace spd
