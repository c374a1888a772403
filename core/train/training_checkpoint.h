#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/io/adapter.h"
#include "core/io/model_config.h"

namespace spd {

/// The held-out loss in training_log.jsonl (at each epoch's last step), state.json and result.json.
inline constexpr const char* kHeldOutLoss = "held_out_nll";

/// The best adapter so far by its loss on held-out examples.
struct BestAdapter {
    double loss = 0;
    int64_t step = 0;
    std::vector<float> values;  ///< as LoraParameters::values(); empty where it is not to be kept
};

/// Everything that a training run goes on from. No generator has a state: noise is a function of the seed.
struct TrainingState {
    int64_t step = 0;                     ///< optimizer steps done
    LoraAdapter adapter;                  ///< after them
    std::vector<float> first;             ///< AdamW's moments, as LoraParameters::values()
    std::vector<float> second;            ///< ditto
    std::optional<double> last_held_out;  ///< loss at the last end of an epoch
    std::optional<BestAdapter> best;
    int64_t evaluations_without_gain = 0;
    int64_t threads = 0;  ///< of the process that saved it, out of its facts; 0: they do not say
    std::string log;      ///< training_log.jsonl up to here
    std::string
        pending;  ///< the last step's line where its held-out loss is still to be measured, else empty
};

/// Writes FOLDER/step-NNNNNNNN with adapter (a PEFT folder that --adapter takes), optimizer.safetensors,
/// training_log.jsonl, state.json and, last, manifest.json with size and SHA-256 of each file: as a whole or
/// not at all. Then reads it back, and removes older ones except one that verifies too. Damaged ones stay.
/// @param folder  is there and nobody else writes it.
/// @param facts  an object that goes into state.json: epoch, seeds, hashes, versions.
/// @throws Error io (isDiskFull() may say that it can be tried again), internal
void writeCheckpoint(const std::filesystem::path& folder, const TrainingState& state,
                     const ModelConfig& config, const nlohmann::ordered_json& facts);

/// The newest checkpoint whose manifest verifies; nothing where there is none. Newer ones that do not verify
/// are renamed to step-NNNNNNNN.damaged and named in `damaged`, a line each. What killed writers left in the
/// folder is removed, and so are older ones but one.
/// @throws Error io, out_of_memory: nothing is said of a checkpoint that could not be read, nor renamed
std::optional<TrainingState> newestCheckpoint(const std::filesystem::path& folder, const ModelConfig& config,
                                              std::vector<std::string>& damaged);

/// Removes every checkpoint. @throws Error io
void removeCheckpoints(const std::filesystem::path& folder);

/// Bytes of one checkpoint without its log, for a look at the free space.
int64_t checkpointBytes(int64_t parameters, bool with_best);

}  // namespace spd
