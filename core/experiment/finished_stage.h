#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace spd {

/// A file that a stage made.
struct StageOutput {
    std::string path;  ///< from the experiment's folder
    int64_t bytes = 0;
    std::string sha256;
};

/// What a finished stage leaves behind its artifacts: by this a later start knows that there is nothing to
/// do.
struct FinishedStage {
    std::string stage;              ///< "calibrate", "generate", "train", "evaluate gsm8k"
    nlohmann::ordered_json inputs;  ///< object: settings and hashes of all that the outputs depend on
    std::vector<StageOutput> outputs;
    double seconds = 0;              ///< of computing, interrupted starts not counted
    nlohmann::ordered_json summary;  ///< object: what the stage says of its result

    std::string inputsSha256() const;
    /// SHA-256 of the output of this name (the last part of its path). @throws Error internal where there is
    /// none
    const std::string& sha256Of(const std::string& file_name) const;
};

/// Size and hash of a file as it lies on the disk. @throws Error not_found, io
StageOutput describeOutput(const std::filesystem::path& experiment_folder, const std::string& path);

/// Written last, atomically: outputs first, then their record. @throws Error io
void writeFinishedStage(const std::filesystem::path& file, const FinishedStage& record);

/// The record when it is there, is sound, was made from these `inputs`, and every output still has its size
/// and hash; else nothing, and the stage has to be run.
/// @throws Error io
std::optional<FinishedStage> findFinishedStage(const std::filesystem::path& file, const std::string& stage,
                                               const nlohmann::ordered_json& inputs,
                                               const std::filesystem::path& experiment_folder);

}  // namespace spd
