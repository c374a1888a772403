#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/io/adapter.h"

namespace spd {

// The files of a PEFT folder.
inline constexpr const char* kAdapterConfig = "adapter_config.json";
inline constexpr const char* kAdapterTensors = "adapter_model.safetensors";

/// What a tensor of an adapter file is.
struct LoraTensorName {
    int64_t layer = 0;
    AttentionLinear linear = AttentionLinear::q;
    bool is_a = true;  ///< lora_A, else lora_B
};

/// "base_model.model.model.layers.LAYER.self_attn.q_proj.lora_A.weight"
std::string loraTensorName(int64_t layer, AttentionLinear linear, bool is_a);

/// Nothing when `name` is no LoRA tensor of the attention linears of such a model.
std::optional<LoraTensorName> parseLoraTensorName(std::string_view name, const ModelConfig& config);

/// Says what is wrong with a name that parseLoraTensorName() does not know.
/// @throws Error unsupported_model for what peft stores and this program does not compute, else file_format
[[noreturn]] void refuseTensorName(const std::string& file, const std::string& name,
                                   const ModelConfig& config);

}  // namespace spd
