#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace spd::protocol {

/// A model that lies on the engine's machine.
struct ModelEntry {
    std::string model;   ///< what MODEL names it by
    std::string source;  ///< "workspace", "hub", "folder"
    std::string folder;
    std::string revision;
    std::string architecture;
    std::string dtype;
    int64_t bytes = 0;  ///< of its weights
    bool complete = false;
    std::string problem;  ///< why it does not load
};

/// The model whose weights the engine holds.
struct LoadedModel {
    std::string model;
    std::string revision;
    std::string dtype;
    int64_t bytes = 0;

    /// @return nothing for null  @throws Refusal invalid_params
    static std::optional<LoadedModel> fromJson(const nlohmann::ordered_json& json);
};

/// What models.list answers.
struct ModelList {
    std::vector<ModelEntry> models;
    std::string folder;  ///< the workspace's models/
    std::string cache;   ///< the Hugging Face cache
    std::optional<LoadedModel> resident;

    /// @throws Refusal invalid_params
    static ModelList fromJson(const nlohmann::ordered_json& json);
};

}  // namespace spd::protocol
