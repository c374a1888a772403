#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/io/checkpoint.h"
#include "core/io/model_locator.h"
#include "core/text/tokenizer.h"

namespace spd {

/// A checkpoint that a stage works on: found, validated, with its tokenizer. The weights are read by the
/// stage, in the layout and type that it computes in.
struct Session {
    ModelLocation location;
    Checkpoint checkpoint;
    Tokenizer tokenizer;

    /// @throws Error not_found, file_format, unsupported_model; Cancelled
    static Session open(const std::string& model, const std::filesystem::path& workspace,
                        const JobContext& context = {});
};

/// Looks before it leaps: what a stage will need against what the machine has. Without it the system kills
/// the process when the memory is written. @param advice  what would need less, or empty.
/// @throws Error out_of_memory, with both numbers
void requireMemory(int64_t bytes, const std::string& stage, const std::string& advice);

/// SHA-256 of config.json, lower-case hex. @throws Error io
std::string configSha256(const Checkpoint& checkpoint);

/// What a stage's meta file says of the model: id, revision, config_sha256, weights_fingerprint. @throws
/// Error io
nlohmann::ordered_json modelRecord(const Session& session);

/// SHA-256 over names, stored types, shapes and a sample of the values of every tensor (all of a small one,
/// else some from every part of it): tells checkpoints apart (a fine-tuned one from its base) without reading
/// all of the weights.
std::string weightsFingerprint(const Checkpoint& checkpoint);

}  // namespace spd
