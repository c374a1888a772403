#pragma once

#include <filesystem>
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

    /// @throws Error not_found, file_format, unsupported_model
    static Session open(const std::string& model, const std::filesystem::path& workspace);
};

/// SHA-256 over names, stored types, shapes and a sample of the values of every tensor: tells checkpoints
/// apart (a fine-tuned one from its base) without reading all of the weights.
std::string weightsFingerprint(const Checkpoint& checkpoint);

}  // namespace spd
