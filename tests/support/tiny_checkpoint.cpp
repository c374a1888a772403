#include "tests/support/tiny_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <vector>

#include "core/io/checkpoint.h"

namespace spd::test {

ModelConfig tinyConfig(ModelFamily family) {
    ModelConfig config;
    config.family = family;
    config.architecture = family == ModelFamily::qwen2   ? "Qwen2ForCausalLM"
                          : family == ModelFamily::qwen3 ? "Qwen3ForCausalLM"
                                                         : "LlamaForCausalLM";
    config.hidden_size = 48;
    config.intermediate_size = 88;
    config.num_hidden_layers = 3;
    config.num_attention_heads = 4;
    config.num_key_value_heads = 2;
    config.head_dim = family == ModelFamily::qwen3 ? 20 : 12;
    config.vocab_size = 131;
    config.max_position_embeddings = 512;
    config.rms_norm_eps = 1e-6;
    config.rope.theta = 10000.0;
    config.tie_word_embeddings = family != ModelFamily::llama;
    config.qkv_bias = family == ModelFamily::qwen2;
    config.qk_norm = family == ModelFamily::qwen3;
    config.eos_token_ids = {130};
    return config;
}

namespace {

nlohmann::json configJson(const ModelConfig& config) {
    const char* model_type = config.family == ModelFamily::qwen2   ? "qwen2"
                             : config.family == ModelFamily::qwen3 ? "qwen3"
                                                                   : "llama";
    nlohmann::json json = {{"architectures", {config.architecture}},
                           {"model_type", model_type},
                           {"hidden_size", config.hidden_size},
                           {"intermediate_size", config.intermediate_size},
                           {"num_hidden_layers", config.num_hidden_layers},
                           {"num_attention_heads", config.num_attention_heads},
                           {"num_key_value_heads", config.num_key_value_heads},
                           {"vocab_size", config.vocab_size},
                           {"max_position_embeddings", config.max_position_embeddings},
                           {"rms_norm_eps", config.rms_norm_eps},
                           {"rope_theta", config.rope.theta},
                           {"tie_word_embeddings", config.tie_word_embeddings},
                           {"hidden_act", "silu"},
                           {"torch_dtype", "float32"},
                           {"eos_token_id", config.eos_token_ids.at(0)}};
    if (config.head_dim * config.num_attention_heads != config.hidden_size)
        json["head_dim"] = config.head_dim;
    if (config.rope.kind == RopeConfig::Kind::llama3)
        json["rope_scaling"] = {
            {"rope_type", "llama3"},
            {"factor", config.rope.factor},
            {"low_freq_factor", config.rope.low_freq_factor},
            {"high_freq_factor", config.rope.high_freq_factor},
            {"original_max_position_embeddings", config.rope.original_max_position_embeddings}};
    return json;
}

int64_t elements(const std::vector<int64_t>& shape) {
    int64_t count = 1;
    for (int64_t dimension : shape)
        count *= dimension;
    return count;
}

/// Rounding to a number of bits by adding and taking away: not by the conversions under test.
float rounded(float value, DType to) {
    if (to == DType::float32)
        return value;
    const int bits = to == DType::bfloat16 ? 8 : 11;  // of the significand
    int exponent = 0;
    std::frexp(value, &exponent);
    if (to == DType::float16)
        exponent = std::max(exponent, -13);  // below 2^-14 all have the same step
    const double step = std::ldexp(1.0, exponent - bits);
    return static_cast<float>(std::nearbyint(static_cast<double>(value) / step) * step);
}

}  // namespace

void writeTinyCheckpoint(const std::filesystem::path& folder, const ModelConfig& config, uint32_t seed,
                         DType rounded_to) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "config.json") << configJson(config).dump();

    nlohmann::ordered_json header;
    int64_t offset = 0;
    const std::vector<ExpectedTensor> tensors = expectedTensors(config);
    for (const ExpectedTensor& tensor : tensors) {
        const int64_t end = offset + 4 * elements(tensor.shape);
        header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    const std::string text = header.dump();
    const uint64_t length = text.size();
    std::ofstream file(folder / "model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text;
    std::mt19937 generator(seed);
    for (const ExpectedTensor& tensor : tensors) {
        const bool is_norm = tensor.shape.size() == 1 && tensor.name.find("norm") != std::string::npos;
        const float spread =
            tensor.shape.size() == 1 ? 0.3f : 1.2f / std::sqrt(static_cast<float>(tensor.shape.back()));
        std::normal_distribution<float> normal(is_norm ? 1.0f : 0.0f, spread);
        std::vector<float> values(static_cast<size_t>(elements(tensor.shape)));
        for (float& value : values)
            value = rounded(normal(generator), rounded_to);
        file.write(reinterpret_cast<const char*>(values.data()),
                   static_cast<std::streamsize>(values.size() * 4));
    }
    if (!file.flush())
        throw std::runtime_error("cannot write " + folder.string());
}

}  // namespace spd::test
