#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"

namespace spd {

enum class ModelFamily { qwen2, qwen3, llama };

/// Rotary position embedding (RoPE): how the inverse frequencies come about.
struct RopeConfig {
    enum class Kind { plain, llama3 };
    Kind kind = Kind::plain;
    double theta = 10000.0;
    // llama3 only: transformers' modeling_rope_utils.py, _compute_llama3_parameters
    double factor = 1.0;
    double low_freq_factor = 1.0;
    double high_freq_factor = 4.0;
    int64_t original_max_position_embeddings = 0;
};

/// config.json (and generation_config.json's token ids) of the families that the program computes, checked:
/// every number is inside the bounds of C1 to C10, so that shapes may be derived without overflow.
/// Names are Hugging Face's. Both spellings are read: transformers 4 (rope_theta, rope_scaling, torch_dtype)
/// and transformers 5 (rope_parameters, dtype).
struct ModelConfig {
    ModelFamily family = ModelFamily::llama;
    std::string architecture;  ///< "LlamaForCausalLM"
    int64_t hidden_size = 0;
    int64_t intermediate_size = 0;
    int64_t num_hidden_layers = 0;
    int64_t num_attention_heads = 0;
    int64_t num_key_value_heads = 0;
    int64_t head_dim = 0;
    int64_t vocab_size = 0;
    int64_t max_position_embeddings = 0;
    double rms_norm_eps = 1e-6;
    RopeConfig rope;
    bool tie_word_embeddings = false;
    bool qkv_bias =
        false;  ///< q_proj, k_proj, v_proj have a bias (qwen2 always; llama and qwen3: attention_bias)
    bool o_bias = false;           ///< o_proj has one (llama and qwen3: attention_bias; qwen2 never)
    bool mlp_bias = false;         ///< llama only
    bool qk_norm = false;          ///< q_norm, k_norm: RMSNorm of each head before RoPE (qwen3)
    DType dtype = DType::float32;  ///< as declared; float32 where the file does not say
    std::optional<int64_t> bos_token_id;
    std::vector<int64_t> eos_token_ids;  ///< generation_config.json's where it names any, else config.json's

    /// d: the width of K and V with the heads side by side.
    int64_t kvWidth() const { return num_key_value_heads * head_dim; }
};

/// Reads `folder`/config.json and, where present, generation_config.json.
/// @throws Error not_found (no config.json), file_format, unsupported_model; the message names file, key and
/// rule.
ModelConfig readModelConfig(const std::filesystem::path& folder);

/// The same from text, for tests and fuzzing; `file` is the name used in messages.
ModelConfig parseModelConfig(const std::string& json, const std::string& file);

}  // namespace spd
