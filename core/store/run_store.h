#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/run_records.h"

namespace spd {

/// The run database of a workspace, WORKSPACE/spd.sqlite (schema 1; see schema/).
///
/// Several processes may write at once: writers queue on WORKSPACE/spd.sqlite.lock, each writing call is one
/// transaction that is on the disk when the call returns, and a process killed at any moment loses nothing
/// that was returned. Calls wait up to 60 s for others.
///
/// Threads: one RunStore belongs to one thread at a time (it may be moved to another between calls); threads
/// that work at once open one each. Never fork() with an open one.
///
/// Errors: every call throws Error. io: disk full, no permission, in use for more than 60 s (nothing of the
/// call is kept; the same call may be tried again on the same object, which reopens and checks the file
/// first); file_format: the file is damaged or of another program; not_found, invalid_argument: as said
/// there. SIGXFSZ must be ignored by the process (spd does).
class RunStore {
public:
    /// Opens or makes the database; the workspace folder is made where there is none. Schemas of older
    /// versions are migrated, with the old file kept as spd.sqlite.schema-N.backup. After an unclean end the
    /// file is checked; a damaged one is moved with its journal into spd.sqlite.damaged-TIME/ and a new one
    /// is made. What of this happened is in notices(). A newer schema, or a folder without write permission,
    /// is opened read-only. RUNNING runs whose process is gone become KILLED.
    /// @throws Error file_format (a symbolic link, not a regular file, another program's database), io
    static RunStore open(const std::filesystem::path& workspace);
    RunStore(RunStore&&) noexcept;
    RunStore& operator=(RunStore&&) noexcept;
    /// Runs begun here and not ended are left RUNNING without a holder: shown as KILLED.
    ~RunStore();

    /// One line each, for the user.
    const std::vector<std::string>& notices() const;
    bool readOnly() const;
    const std::filesystem::path& workspace() const;  ///< absolute, without links
    std::filesystem::path path() const;

    // --- Writing. @throws Error io also when readOnly(); not_found where a run is not there.

    /// The experiment of this text, added when it is new. The caller makes its folder,
    /// WORKSPACE/experiments/ID.
    /// The id that beginExperiment() gives it.
    static std::string experimentId(const std::string& name, const std::string& resolved_toml);
    ExperimentRecord beginExperiment(const std::string& name, const std::string& resolved_toml);

    /// Starts the run, or the same run again (resumed: its rows stay; params, metrics of equal steps, stages
    /// and examples are replaced as they are written anew). Holds the lock file FOLDER/run.lock until
    /// endRun() or the destructor. The folder must be there.
    /// @throws Error invalid_argument (another process is at this run, or this store has begun it already)
    std::string beginRun(const NewRun& run);
    /// Adds `seconds` since beginRun(). @param status not running
    void endRun(const std::string& run, RunStatus status, const std::string& error = "");

    /// Replaces all params of the run.
    void setParams(const std::string& run, const std::vector<KeyValue>& params);
    /// One transaction; call it at most once a second (MetricBatch does that). A step that was logged before
    /// is replaced.
    void logMetrics(const std::string& run, const std::vector<Metric>& metrics);
    void setTag(const std::string& run, const KeyValue& tag);
    /// @return false when there was none
    bool removeTag(const std::string& run, const std::string& key);
    void setNote(const std::string& run, const std::string& text);
    /// An artifact of the same path is replaced.
    void addArtifacts(const std::string& run, const std::vector<Artifact>& artifacts);
    void beginStage(const std::string& run, const std::string& stage, const std::string& input_sha256);
    /// @param stage  begun before; its status finished or skipped, its hashes and seconds.
    void finishStage(const std::string& run, const RecordedStage& stage);
    void addEvalExamples(const std::string& run, const std::vector<EvalExample>& examples);
    void addLineage(const std::string& run, const std::vector<LineageEdge>& edges);

    /// Adds a run that somebody else made, all at once; the same folder again replaces what was said of it.
    struct ImportedRun {
        NewRun run;  ///< `experiment` is made when it is new
        RunStatus status = RunStatus::finished;
        std::vector<KeyValue> params;
        std::vector<Metric> metrics;
        std::vector<Artifact> artifacts;
        std::vector<EvalExample> examples;
        std::vector<LineageEdge> lineage;
    };
    std::string importRun(const ImportedRun& run);

    /// Moves the run's folder, and the shared folders that no other run's artifacts lie in, to
    /// WORKSPACE/trash/RUN/, and marks the run deleted. An imported run's files stay where they are. A run
    /// whose files are moved back is there again.
    /// @return where the files lie now; empty for an imported run
    /// @throws Error invalid_argument (it is running), io
    std::filesystem::path deleteRun(const std::string& run);

    /// Moves a deleted run's files back from the trash folder; the run is there again. Shared folders that
    /// are there again already stay. For an imported run, see importRun().
    /// @throws Error invalid_argument (not deleted, imported, another folder lies in its place), not_found
    /// (its files are gone), io
    void restoreRun(const std::string& run);

    // --- Reading. Order is that of `sequence` or of the rows' keys.

    std::vector<ExperimentRecord> experiments() const;
    /// @param experiment  id; empty: all. Deleted runs only when asked for.
    std::vector<RunRecord> runs(const std::string& experiment = "", bool with_deleted = false) const;
    /// The run whose id or name is `text`, or whose id or name alone begins with it.
    /// @throws Error not_found; invalid_argument (several: names them)
    RunRecord findRun(const std::string& text) const;
    std::vector<KeyValue> params(const std::string& run) const;
    std::vector<KeyValue> tags(const std::string& run) const;
    std::vector<Metric> metrics(const std::string& run, const std::string& key) const;  ///< by step
    std::vector<Metric> finalMetrics(const std::string& run) const;  ///< of each key the last step
    std::vector<Artifact> artifacts(const std::string& run) const;
    std::vector<RecordedStage> stages(const std::string& run) const;
    std::vector<std::string> evalTasks(const std::string& run) const;
    std::vector<EvalExample> evalExamples(const std::string& run, const std::string& task) const;
    std::vector<LineageEdge> lineage(const std::string& run) const;

    /// One SELECT (or WITH, VALUES) on a handle of its own that cannot write.
    /// @throws Error invalid_argument (no such statement, more than one, too slow, too large)
    QueryResult query(const std::string& sql, const QueryLimits& limits = {}) const;
    /// Everything, not only what an unclean end asks for. @return what is wrong, a line each; empty: sound
    std::vector<std::string> checkIntegrity() const;

private:
    class State;
    explicit RunStore(std::unique_ptr<State> state);
    void settleRuns();
    std::unique_ptr<State> state_;
};

}  // namespace spd
