#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/model_config.h"

namespace spd {

/// The linears of attention that LoRA may sit on, in the order of the forward pass.
enum class AttentionLinear { q, k, v, o };
inline constexpr std::array kAttentionLinears = {AttentionLinear::q, AttentionLinear::k, AttentionLinear::v,
                                                 AttentionLinear::o};

/// "q_proj", ...
std::string_view moduleName(AttentionLinear linear);
/// Input and output width of the linear.
int64_t inWidth(const ModelConfig& config, AttentionLinear linear);
int64_t outWidth(const ModelConfig& config, AttentionLinear linear);

/// LoRA of one linear: y += scale B (A x).
struct LoraModule {
    int64_t layer = 0;
    AttentionLinear linear = AttentionLinear::q;
    int64_t r = 0;
    double scale = 0;      ///< alpha / r
    std::vector<float> a;  ///< lora_A, [r, in], row-major
    std::vector<float> b;  ///< lora_B, [out, r], row-major
};

/// A LoRA adapter in PEFT's terms; a value in float32.
struct LoraAdapter {
    int64_t r = 8;
    double lora_alpha = 8;  ///< of scale alpha / r; rsLoRA's is converted to that
    double lora_dropout = 0.05;
    std::string base_model_name_or_path;
    std::string revision;             ///< commit; empty where there is none
    std::vector<LoraModule> modules;  ///< by layer, then linear; not every linear need be there
};

/// Reads a folder with adapter_config.json and adapter_model.safetensors as peft writes them, for the model
/// of `config`. Stored float16 and bfloat16 become float32.
/// @throws Error not_found; file_format (hardening I7: rank 0, alpha 0 or not finite, a target module that
/// the model lacks, shapes that do not multiply, tensors of another base, a pickle); unsupported_model (DoRA,
/// rsLoRA is read, other PEFT types, modules_to_save, biases: by name); io
LoraAdapter readAdapter(const std::filesystem::path& folder, const ModelConfig& config);

}  // namespace spd
