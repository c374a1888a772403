#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/base/file_lock.h"
#include "core/base/files.h"

namespace spd {

/// The folder of one training run and who may write it. For one thread.
class RunFolder {
public:
    /// Looks at what lies there, makes the folder where there is none and takes its lock.
    /// @param meta  what decides the result; equal meta is the same run.
    /// @throws Error invalid_argument (another run's, or one that was stopped and `resume` is not asked for;
    /// another process writes it), not_found (no folder above), io
    static RunFolder open(const std::filesystem::path& path, const nlohmann::ordered_json& meta, bool resume,
                          bool overwrite);
    RunFolder(RunFolder&&) = default;
    ~RunFolder();

    std::filesystem::path adapter() const { return path_ / "adapter"; }
    std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

    /// result.json of this run where it is done already, and all that it wrote is as it was.
    const std::optional<nlohmann::ordered_json>& result() const { return result_; }

    /// What is not as it was when the run was done, in words; empty where nothing is, or it was not done.
    const std::string& damage() const { return damage_; }

    /// Something of this run is there to go on from.
    bool isResumed() const { return resumed_; }

    /// Makes the folder this run's: what an earlier one left goes (unless this is that one), train.meta.json
    /// and checkpoints/ are there.
    /// @throws Error invalid_argument (an adapter/ that is somebody else's: nothing has changed then), io
    void begin();

    /// training_log.jsonl becomes `text`, and appendLog() goes on behind it. @throws Error io
    void startLog(const std::string& text);
    /// Appends a line; where that fails the file is as before. @throws Error io
    void appendLog(const std::string& line);

    /// A line with the time in log.txt. What cannot be written there is lost: no work stops for it.
    void note(const std::string& text) const;

    /// Writes result.json, with size and SHA-256 of the adapter's files and the log as "files": from now on
    /// the run is done. @throws Error io
    void finish(nlohmann::ordered_json result);

private:
    RunFolder(std::filesystem::path path, bool made) : path_(std::move(path)), made_(made) {}
    void look(const nlohmann::ordered_json& meta, bool resume, bool overwrite);
    void lookAtResult();
    void removeLeftFiles() const;
    std::string strangeness(const nlohmann::ordered_json& meta) const;

    std::filesystem::path path_;
    bool made_ = false;     // by us: an empty one goes again
    bool resumed_ = false;  // the same run began here before
    std::string meta_text_;
    std::string damage_;
    std::optional<nlohmann::ordered_json> result_;
    std::optional<FileLock> lock_;
    FileHandle log_;
    int64_t log_size_ = 0;
};

}  // namespace spd
