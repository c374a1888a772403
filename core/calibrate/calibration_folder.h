#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/calibrate/gram_sums.h"
#include "core/subspace/subspace.h"

namespace spd {

/// Says what made a calibration's folder; a folder that has it may be replaced.
inline constexpr const char* kCalibrationMeta = "calibrate.meta.json";

/// The disk's side of one calibration into OUT, so that a kill at any moment loses a minute at most:
///   OUT/          subspace.safetensors, subspace.json, calibrate.meta.json; appears whole at finish()
///   OUT.partial/  the sums so far, replaced whole by each save(); gone after finish()
///   .OUT.lock     held by the one writer
/// An earlier OUT stays until its successor is complete. Not thread-safe.
class CalibrationFolder {
public:
    /// Looks at what lies there and takes the lock.
    /// @param meta  object; equal meta means the same command. In OUT the files' sizes and hashes join it.
    /// @param overwrite  start anew when what lies there was made by another command or is finished or
    ///     damaged; what the same command began is still resumed.
    /// @throws Error invalid_argument (made by another command: names the settings that differ; damaged;
    ///     another process writes it; a folder that is not ours), not_found (no folder above), io
    static CalibrationFolder open(const std::filesystem::path& out, nlohmann::ordered_json meta,
                                  bool overwrite);
    CalibrationFolder(CalibrationFolder&&) noexcept;
    CalibrationFolder& operator=(CalibrationFolder&&) noexcept;
    ~CalibrationFolder();

    /// OUT is there and made by this command: nothing is left to do.
    bool complete() const;
    /// The sums that an earlier start of this command left, else `empty`.
    /// @param empty  sums of the size that this command has.   @throws Error file_format, io
    GramSums takeUp(GramSums empty) const;

    /// @throws Error io
    void save(const GramSums& sums);
    /// Publishes OUT, then removes OUT.partial. @throws Error io
    void finish(const Subspace& subspace);

private:
    class State;
    explicit CalibrationFolder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace spd
