#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/io/adapter.h"

namespace spd {

/// What an adapter_config.json of peft asks for, checked. Module names are paths below the base model:
/// "model.layers.0.self_attn.q_proj".
struct PeftConfig {
    int64_t r = 0;
    double lora_alpha = 0;
    double lora_dropout = 0;
    bool use_rslora = false;  ///< scale alpha / sqrt(r) instead of alpha / r
    std::string base_model_name_or_path;
    std::string revision;
    std::vector<std::string> target_modules;  ///< module paths or ends of them behind a dot; sorted
    std::optional<std::vector<int64_t>> layers_to_transform;  ///< sorted
    /// Exceptions by module, in the file's order: the first key that fits a module counts.
    std::vector<std::pair<std::string, int64_t>> rank_pattern;
    std::vector<std::pair<std::string, double>> alpha_pattern;

    bool targets(int64_t layer, AttentionLinear linear) const;
    int64_t rankOf(int64_t layer, AttentionLinear linear) const;
    double scaleOf(int64_t layer, AttentionLinear linear) const;
};

constexpr size_t most_adapter_config_bytes = size_t{1} << 20;
constexpr int64_t most_rank = 65'536;

/// "model.layers.LAYER.self_attn.q_proj"
std::string modulePath(int64_t layer, AttentionLinear linear);

/// @param config  the model that the adapter is to fit: every target module must be one of its.
/// @param file    name used in messages.
/// @throws Error file_format; unsupported_model for what peft can do and this program cannot
PeftConfig parsePeftConfig(std::string_view json, const std::string& file, const ModelConfig& config);

}  // namespace spd
