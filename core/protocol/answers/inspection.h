#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spd::protocol {

struct InspectedTensor {
    std::string name;
    std::string state;  ///< "found", "missing", "wrong_shape", "wrong_type", "unused"
    std::string dtype;
    std::string file;
    std::vector<int64_t> shape;
    std::vector<int64_t> expected_shape;
};

/// Bytes that the stages of a run need.
struct StageMemory {
    std::string dtype;
    int64_t context = 0;
    int64_t sequences = 0;  ///< that generate decodes together; the answer calls them slots
    int64_t weights = 0;
    int64_t kv_cache_per_slot = 0;
    int64_t generate = 0;
    int64_t calibrate = 0;
    int64_t train = 0;
};

/// What an engine runs on.
struct EngineMachine {
    std::string processor;
    int64_t threads = 0;
    int64_t memory_total = 0;
    int64_t memory_available = 0;
    std::vector<std::string> gpus;

    /// @throws Refusal invalid_params
    static EngineMachine fromJson(const nlohmann::ordered_json& json);
};

/// What model.inspect answers. Of a refused model only model, refusals and machine are there.
struct ModelInspection {
    std::string model;
    std::string folder;
    std::string revision;
    bool loads = false;
    std::vector<std::string> refusals;
    std::vector<std::string> oddities;
    std::string architecture;
    int64_t parameters = 0;
    int64_t num_hidden_layers = 0;
    /// Everything else about it in the order of the answer, as words: {"rope", "default, theta 100000"}.
    std::vector<std::pair<std::string, std::string>> facts;
    std::optional<StageMemory> memory;
    std::vector<InspectedTensor> tensors;
    EngineMachine machine;

    /// @throws Refusal invalid_params
    static ModelInspection fromJson(const nlohmann::ordered_json& json);
};

}  // namespace spd::protocol
