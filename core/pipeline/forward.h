#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/pipeline/open_intervention.h"

namespace spd {

struct ForwardRequest {
    std::filesystem::path folder;  ///< checkpoint
    std::filesystem::path ids;     ///< JSON Lines, see readIds(): one sequence a line
    std::filesystem::path out;     ///< safetensors
    DType dtype = DType::float32;
    InterventionRequest intervention;  ///< of every sequence
    OnWarning on_warning;
};

struct ForwardSummary {
    int64_t sequences = 0;
    int64_t tokens = 0;
    int64_t vocab_size = 0;
    std::string intervention;                    ///< describe()
    nlohmann::ordered_json intervention_record;  ///< recordOf()
    double open_seconds = 0;                     ///< checking the checkpoint and the ids, reading the weights
    double compute_seconds = 0;                  ///< logits, and writing them
};

/// Writes the logits of every position of every sequence: float32 tensors logits.N [T, vocab_size], N the
/// line's number from 0. Each sequence is computed alone; the logits are never held whole. Nothing is written
/// when the input is refused. A projection that acts on new tokens or on the prompt only takes the line's
/// prompt_length for the border, else the whole line for the prompt. What was applied is recorded under
/// "intervention" in the file's metadata.
/// @throws Error not_found; file_format (no ids, an id outside the vocabulary, more ids than the model has
/// positions); unsupported_model; io; out_of_memory; as openIntervention(). Cancelled.
ForwardSummary writeLogits(const ForwardRequest& request, const JobContext& context);

}  // namespace spd
