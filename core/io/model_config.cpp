#include "core/io/model_config.h"

#include <fmt/format.h>

#include <array>

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/io/config/fields.h"
#include "core/io/config/rope.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// What a family fixes, and what transformers 5 takes where config.json does not say
/// (models/*/configuration_*.py).
struct FamilyTraits {
    ModelFamily family;
    std::string_view model_type;
    std::string_view architecture;
    int64_t default_kv_heads;  ///< 0: as many as attention heads
    int64_t default_head_dim;  ///< 0: hidden_size / num_attention_heads
    int64_t default_max_positions;
    int64_t default_bos;  ///< -1: none
    int64_t default_eos;  ///< -1: none
};

constexpr std::array<FamilyTraits, 3> families = {{
    {ModelFamily::qwen2, "qwen2", "Qwen2ForCausalLM", 32, 0, 32768, -1, -1},
    {ModelFamily::qwen3, "qwen3", "Qwen3ForCausalLM", 32, 128, 32768, -1, -1},
    {ModelFamily::llama, "llama", "LlamaForCausalLM", 0, 0, 2048, 1, 2},
}};

// Bounds of C3 and of what follows from them: no product of three of them overflows 64 bits.
constexpr int64_t most_layers = 512;
constexpr int64_t most_hidden = 65536;
constexpr int64_t most_heads = 1024;
constexpr int64_t most_vocabulary = int64_t{1} << 21;
constexpr int64_t most_intermediate = int64_t{1} << 20;
constexpr int64_t most_head_dim = 4096;

Json parseObject(const std::string& text, const std::string& file) {
    Json json = parseStrictJson(text, file, JsonLimits{});
    if (!json.is_object())
        throw Error::fileFormat(file, "", "must be a JSON object");
    return json;
}

const FamilyTraits& familyOf(const JsonFields& config) {
    constexpr std::string_view known = "only qwen2, qwen3 and llama";
    const std::optional<std::string> type = config.text("model_type");
    if (!type)
        config.refuse("model_type", "is missing");
    for (const FamilyTraits& traits : families)
        if (*type == traits.model_type)
            return traits;
    config.refuseUnsupported("model_type",
                             fmt::format("\"{}\" is not supported, {}", printable(*type, 60), known));
}

void checkArchitecture(const JsonFields& config, const FamilyTraits& traits) {
    const Json* names = config.find("architectures");
    if (names == nullptr)
        return;
    if (!names->is_array())
        config.refuse("architectures", "must be a list of names");
    for (const Json& name : *names) {
        if (!name.is_string())
            config.refuse("architectures", "must be a list of names");
        if (name.get_ref<const std::string&>() != traits.architecture)
            config.refuseUnsupported(
                "architectures",
                fmt::format("\"{}\" is not supported, only {} for model_type {}",
                            printable(name.get<std::string>(), 60), traits.architecture, traits.model_type));
    }
}

/// Settings that would change what the model computes; each is refused by name unless it is switched off.
void refuseUnsupportedSettings(const JsonFields& config) {
    if (config.has("auto_map"))
        config.refuseUnsupported("auto_map", "the checkpoint brings its own code, which is never run");
    for (const char* key : {"quantization_config", "compression_config"})
        if (config.has(key)) {
            const Json& value = *config.find(key);
            const Json method =
                value.is_object() ? value.value("quant_method", Json("unknown")) : Json("unknown");
            config.refuseUnsupported(key, fmt::format("quantised weights ({}) are not supported",
                                                      printable(method.dump(-1, ' ', true), 60)));
        }
    if (config.has("per_layer_config"))
        config.refuseUnsupported("per_layer_config", "settings that differ between layers are not supported");
    const std::string activation = config.text("hidden_act").value_or("silu");
    if (activation != "silu")
        config.refuseUnsupported(
            "hidden_act", fmt::format("\"{}\" is not supported, only silu", printable(activation, 60)));
}

/// Qwen's sliding window counts for layers from max_window_layers on, and only with use_sliding_window.
void refuseSlidingWindow(const JsonFields& config, int64_t layers) {
    const bool used = config.flag("use_sliding_window", false);
    const Json* types = config.find("layer_types");
    if (types != nullptr) {
        if (!types->is_array() || types->size() != static_cast<size_t>(layers))
            config.refuse("layer_types", fmt::format("must be a list of {} names", layers));
        for (const Json& type : *types)
            if (type != "full_attention")
                config.refuseUnsupported("layer_types",
                                         fmt::format("{} is not supported, only full_attention",
                                                     printable(type.dump(-1, ' ', true), 60)));
        return;
    }
    const std::optional<int64_t> window = config.integer("sliding_window", 0, INT64_MAX);
    const bool written_null = config.isWritten("sliding_window") && !window;
    const int64_t first = config.integer("max_window_layers", 0, INT64_MAX).value_or(28);
    if (used && !written_null && first < layers)
        config.refuseUnsupported("use_sliding_window", "sliding-window attention is not supported");
}

void readSizes(const JsonFields& config, const FamilyTraits& traits, ModelConfig& out) {
    out.hidden_size = config.requiredInteger("hidden_size", 1, most_hidden);
    out.intermediate_size = config.requiredInteger("intermediate_size", 1, most_intermediate);
    out.num_hidden_layers = config.requiredInteger("num_hidden_layers", 1, most_layers);
    out.num_attention_heads = config.requiredInteger("num_attention_heads", 1, most_heads);
    out.vocab_size = config.requiredInteger("vocab_size", 1, most_vocabulary);
    out.max_position_embeddings =
        config.integer("max_position_embeddings", 1, INT32_MAX).value_or(traits.default_max_positions);

    const bool kv_written = config.isWritten("num_key_value_heads") || traits.default_kv_heads == 0;
    out.num_key_value_heads = config.integer("num_key_value_heads", 1, most_heads)
                                  .value_or(kv_written ? out.num_attention_heads : traits.default_kv_heads);
    if (out.num_attention_heads % out.num_key_value_heads != 0)
        config.refuse("num_key_value_heads", fmt::format("{} does not divide the {} attention heads",
                                                         out.num_key_value_heads, out.num_attention_heads));

    const std::optional<int64_t> head_dim = config.integer("head_dim", 1, most_head_dim);
    const bool fixed = traits.default_head_dim != 0 && !config.isWritten("head_dim");
    if (!head_dim && !fixed && out.hidden_size % out.num_attention_heads != 0)
        config.refuse("num_attention_heads",
                      fmt::format("{} does not divide hidden_size {}, and there is no head_dim",
                                  out.num_attention_heads, out.hidden_size));
    out.head_dim =
        head_dim.value_or(fixed ? traits.default_head_dim : out.hidden_size / out.num_attention_heads);
    if (out.head_dim > most_head_dim || out.head_dim % 2 != 0)
        config.refuse("head_dim",
                      fmt::format("is {}, must be even and at most {}", out.head_dim, most_head_dim));
}

DType readDType(const JsonFields& config) {
    for (const char* key : {"dtype", "torch_dtype"})
        if (const std::optional<std::string> text = config.text(key)) {
            const std::optional<DType> dtype = parseDType(*text);
            if (!dtype)
                config.refuseUnsupported(
                    key, fmt::format("\"{}\" is not supported, only float32, bfloat16, float16",
                                     printable(*text, 60)));
            return *dtype;
        }
    return DType::float32;
}

void readTokenIds(const JsonFields& config, const FamilyTraits& traits, ModelConfig& out) {
    const auto bos = config.tokenIds("bos_token_id", out.vocab_size);
    if (!bos.empty())
        out.bos_token_id = bos.front();
    else if (!config.isWritten("bos_token_id") && traits.default_bos >= 0 &&
             traits.default_bos < out.vocab_size)
        out.bos_token_id = traits.default_bos;
    out.eos_token_ids = config.tokenIds("eos_token_id", out.vocab_size);
    if (!config.isWritten("eos_token_id") && traits.default_eos >= 0 && traits.default_eos < out.vocab_size)
        out.eos_token_ids = {traits.default_eos};
}

}  // namespace

ModelConfig parseModelConfig(const std::string& json, const std::string& file) {
    const Json object = parseObject(json, file);
    const JsonFields config(object, file);
    const FamilyTraits& traits = familyOf(config);
    checkArchitecture(config, traits);
    refuseUnsupportedSettings(config);

    ModelConfig out;
    out.family = traits.family;
    out.architecture = traits.architecture;
    readSizes(config, traits, out);
    refuseSlidingWindow(config, out.num_hidden_layers);
    out.rms_norm_eps = config.positiveNumber("rms_norm_eps").value_or(out.rms_norm_eps);
    out.rope = readRopeConfig(config, out.max_position_embeddings);
    out.tie_word_embeddings = config.flag("tie_word_embeddings", false);
    const bool attention_bias = traits.family != ModelFamily::qwen2 && config.flag("attention_bias", false);
    out.qkv_bias = traits.family == ModelFamily::qwen2 || attention_bias;
    out.o_bias = attention_bias;
    out.mlp_bias = traits.family == ModelFamily::llama && config.flag("mlp_bias", false);
    out.qk_norm = traits.family == ModelFamily::qwen3;
    out.dtype = readDType(config);
    readTokenIds(config, traits, out);
    return out;
}

ModelConfig readModelConfig(const std::filesystem::path& folder) {
    const ContainedFolder files = ContainedFolder::open(folder);
    ModelConfig config =
        parseModelConfig(files.readFile("config.json", JsonLimits{}.max_bytes), files.nameOf("config.json"));
    const std::string name = "generation_config.json";
    if (!files.has(name))
        return config;
    const Json object = parseObject(files.readFile(name, JsonLimits{}.max_bytes), files.nameOf(name));
    const JsonFields generation(object, files.nameOf(name));
    if (const auto ids = generation.tokenIds("eos_token_id", config.vocab_size); !ids.empty())
        config.eos_token_ids = ids;
    if (const auto ids = generation.tokenIds("bos_token_id", config.vocab_size); !ids.empty())
        config.bos_token_id = ids.front();
    return config;
}

}  // namespace spd
