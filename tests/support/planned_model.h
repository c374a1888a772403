#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace spd::test {

/// A tensor to be stored.
struct PlannedTensor {
    std::string name;
    std::string dtype;  ///< "F32", ...
    std::vector<int64_t> shape;
    std::string bytes;
    std::string shard = "model-00001-of-00002.safetensors";
};

/// A checkpoint folder in the making: tests change a part of it, then write it. Written by hand here, not by
/// the writer under test.
struct PlannedModel {
    nlohmann::ordered_json config;
    std::vector<PlannedTensor> tensors;

    PlannedTensor& tensor(const std::string& name);
    void remove(const std::string& name);

    void writeConfig(const std::filesystem::path& folder) const;
    /// config.json and model.safetensors.
    void writeSingle(const std::filesystem::path& folder) const;
    /// config.json, the shards and model.safetensors.index.json.
    void writeSharded(const std::filesystem::path& folder) const;
    /// What writeSharded() puts into the index.
    nlohmann::ordered_json index() const;
    void writeShards(const std::filesystem::path& folder) const;
};

/// A sound llama, qwen2 or qwen3 model: hidden size 8, 2 layers, 4 heads of 4 over 2 KV heads, 11 words,
/// untied; the second layer in the second shard. Elements are random from `seed`: finite, a few of them
/// subnormal.
PlannedModel plannedModel(const std::string& model_type, const std::string& dtype = "F32", uint32_t seed = 1);

/// A safetensors file of these tensors, in their order.
std::string safetensorsOf(const std::vector<const PlannedTensor*>& tensors);

void writeFile(const std::filesystem::path& path, const std::string& bytes);

}  // namespace spd::test
