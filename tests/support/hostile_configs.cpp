#include "tests/support/hostile_configs.h"

#include <cstdint>

namespace spd::test {

using Json = nlohmann::ordered_json;

Json llamaConfig() {
    return Json::parse(R"({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
        "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072,
        "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
        "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_cache": true,
        "vocab_size": 128256})");
}

Json qwen2Config() {
    return Json::parse(R"({
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
        "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864,
        "max_position_embeddings": 32768, "max_window_layers": 24, "model_type": "qwen2", "num_attention_heads": 14,
        "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
        "sliding_window": 32768, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_mrope": false,
        "use_sliding_window": false, "vocab_size": 151936})");
}

Json qwen3Config() {
    return Json::parse(R"({
        "architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "bos_token_id": 151643, "dtype": "bfloat16",
        "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3072,
        "layer_types": ["full_attention", "full_attention"], "max_position_embeddings": 40960,
        "max_window_layers": 28, "model_type": "qwen3", "num_attention_heads": 16, "num_hidden_layers": 2,
        "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
        "rope_parameters": {"rope_theta": 1000000, "rope_type": "default"}, "sliding_window": null,
        "tie_word_embeddings": true, "use_sliding_window": false, "vocab_size": 151936})");
}

namespace {

class BadConfigs {
public:
    std::vector<BadConfig> all;

    void text(const std::string& rule, const std::string& json, const std::string& says) {
        all.push_back({rule, json, says, ErrorKind::file_format});
    }
    /// `base` with one key replaced by the JSON text `value`.
    void key(const std::string& rule, Json base, const std::string& name, const std::string& value,
             const std::string& says = "", ErrorKind kind = ErrorKind::file_format) {
        base[name] = Json::parse(value);
        all.push_back({rule, base.dump(), says.empty() ? name + ": " : says, kind});
    }
    void unsupported(const std::string& rule, const Json& base, const std::string& name,
                     const std::string& value, const std::string& says) {
        key(rule, base, name, value, says, ErrorKind::unsupported_model);
    }
};

void addSizes(BadConfigs& bad) {
    for (const char* name : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                             "intermediate_size", "vocab_size", "head_dim", "max_position_embeddings"})
        for (const char* value : {"0", "-1", "1.5", "2.0", "1e2", "\"8\"", "true", "[8]", "{}",
                                  "9223372036854775808", "18446744073709551615", "1e300"})
            bad.key("C2", llamaConfig(), name, value);
    for (const char* name :
         {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"}) {
        Json without = llamaConfig();
        without.erase(name);
        bad.text("C2", without.dump(), std::string(name) + ": is missing");
    }
    bad.key("C3", llamaConfig(), "num_hidden_layers", "513");
    bad.key("C3", llamaConfig(), "hidden_size", "65537");
    bad.key("C3", llamaConfig(), "vocab_size", "2097153");
    bad.key("C3", llamaConfig(), "num_attention_heads", "1025");
    bad.key("C3", llamaConfig(), "num_key_value_heads", "1025");
    bad.key("C3", llamaConfig(), "intermediate_size", "1048577");
    bad.key("C3", llamaConfig(), "head_dim", "4098");
    bad.key("C3", llamaConfig(), "max_position_embeddings", "2147483648");
    bad.key("C4", llamaConfig(), "num_key_value_heads", "5", "does not divide");
    bad.key("C4", qwen2Config(), "num_attention_heads", "18", "does not divide");
    bad.key("C4", llamaConfig(), "head_dim", "63", "must be even");
}

void addKinds(BadConfigs& bad) {
    for (const char* text : {"[]", "\"x\"", "1", "null"})
        bad.text("C1", text, "must be a JSON object");
    bad.text("C1", llamaConfig().dump() + std::string(1 << 20, ' '), "larger than 1048576");
    bad.text("C1", R"({"hidden_size":1,"hidden_size":2})", "duplicate key");
    bad.text("C1", R"({"hidden_size":NaN})", "byte");
    bad.text("C1", "", "byte");
    bad.unsupported("C6", llamaConfig(), "model_type", "\"mistral\"",
                    "model_type: \"mistral\" is not supported");
    bad.unsupported("C6", llamaConfig(), "architectures", R"(["LlamaForSequenceClassification"])",
                    "\"LlamaForSequenceClassification\"");
    bad.unsupported("C6", llamaConfig(), "architectures", R"(["Qwen2ForCausalLM"])", "\"Qwen2ForCausalLM\"");
    bad.unsupported("C6", llamaConfig(), "architectures", R"(["LlamaForCausalLM","Other"])", "\"Other\"");
    bad.unsupported("C6", llamaConfig(), "auto_map", R"({"AutoModel":"x.py"})", "auto_map: ");
    bad.unsupported("C6", llamaConfig(), "quantization_config", R"({"quant_method":"gptq"})", "\"gptq\"");
    bad.unsupported("C6", llamaConfig(), "quantization_config", R"({"quant_method":{"a":1}})",
                    "quantization_config: ");
    bad.unsupported("C6", llamaConfig(), "compression_config", "{}", "compression_config: ");
    bad.unsupported("C6", llamaConfig(), "per_layer_config", R"({"0":{}})", "per_layer_config: ");
    bad.unsupported("C6", llamaConfig(), "hidden_act", "\"gelu\"", "\"gelu\"");
    Json window_from_21 = qwen2Config();
    window_from_21["max_window_layers"] = 21;
    bad.unsupported("C6", window_from_21, "use_sliding_window", "true", "use_sliding_window: ");
    bad.unsupported("C6", qwen3Config(), "layer_types", R"(["full_attention","sliding_attention"])",
                    "sliding_attention");
    bad.key("C6", qwen3Config(), "layer_types", R"(["full_attention"])", "must be a list of 2 names");
    bad.key("C6", llamaConfig(), "architectures", "\"LlamaForCausalLM\"");
    bad.key("C6", llamaConfig(), "architectures", "[1]");
    bad.key("C6", llamaConfig(), "model_type", "1");
    Json without = llamaConfig();
    without.erase("model_type");
    bad.text("C6", without.dump(), "model_type: is missing");
    bad.unsupported("C10", llamaConfig(), "torch_dtype", "\"float8_e4m3fn\"", "\"float8_e4m3fn\"");
    bad.unsupported("C10", qwen3Config(), "dtype", "\"auto\"", "\"auto\"");
    bad.key("C10", llamaConfig(), "torch_dtype", "16");
}

void addNumbers(BadConfigs& bad) {
    for (const char* value : {"0", "-1.0", "\"NaN\"", "true", "[1]"}) {
        bad.key("C7", llamaConfig(), "rope_theta", value);
        bad.key("C7", llamaConfig(), "rms_norm_eps", value);
        for (const char* name : {"factor", "low_freq_factor", "high_freq_factor"}) {
            Json scaling = llamaConfig()["rope_scaling"];
            scaling[name] = Json::parse(value);
            bad.key("C7", llamaConfig(), "rope_scaling", scaling.dump(),
                    std::string("rope_scaling.") + name + ": ");
        }
    }
    for (const char* name : {"factor", "low_freq_factor", "high_freq_factor"}) {
        Json scaling = llamaConfig()["rope_scaling"];
        scaling.erase(name);
        bad.key("C7", llamaConfig(), "rope_scaling", scaling.dump(), "is missing");
    }
    bad.text("C7", R"({"model_type":"llama","rope_theta":1e999})", "byte");
    Json equal = llamaConfig()["rope_scaling"];
    equal["low_freq_factor"] = 4.0;
    bad.key("C7", llamaConfig(), "rope_scaling", equal.dump(), "above low_freq_factor");
    for (const char* type : {"linear", "dynamic", "yarn", "longrope", "proportional", "x"})
        bad.unsupported("C7", llamaConfig(), "rope_scaling",
                        R"({"factor":2.0,"type":")" + std::string(type) + "\"}",
                        "rope_scaling.rope_type: \"" + std::string(type) + "\"");
    bad.unsupported("C7", qwen3Config(), "rope_parameters",
                    R"({"rope_type":"yarn","rope_theta":1e6,"factor":4.0})", "\"yarn\"");
    bad.unsupported("C7", qwen3Config(), "rope_parameters", R"({"full_attention":{"rope_type":"default"}})",
                    "differ between layers");
    bad.unsupported("C7", llamaConfig(), "partial_rotary_factor", "0.5", "partial_rotary_factor");
    bad.key("C7", llamaConfig(), "rope_scaling", "[]");
    for (const char* name : {"bos_token_id", "eos_token_id"})
        for (const char* value :
             {"128256", "-1", "1.5", "\"2\"", "[128256]", "[0,-1]", "[[1]]", "18446744073709551615"})
            bad.key("C8", llamaConfig(), name, value);
    bad.key("C9", llamaConfig(), "tie_word_embeddings", "\"yes\"");
}

}  // namespace

std::vector<BadConfig> badConfigs() {
    BadConfigs bad;
    addKinds(bad);
    addSizes(bad);
    addNumbers(bad);
    return bad.all;
}

}  // namespace spd::test
