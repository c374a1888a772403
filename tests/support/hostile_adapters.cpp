#include "tests/support/hostile_adapters.h"

#include <cmath>
#include <limits>

namespace spd::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void setFirst(PlannedTensor& tensor, float value) {
    tensor.bytes.replace(0, sizeof value, plannedTensor("", "F32", {}, {value}).bytes);
}

/// A change of one key of adapter_config.json.
AdapterCase setting(const std::string& what, const char* key, const Json& value, const std::string& says,
                    ErrorKind kind = ErrorKind::file_format) {
    return {what, [=](PlannedAdapter& adapter) { adapter.config[key] = value; }, says, kind};
}

AdapterCase unsupported(const std::string& what, const char* key, const Json& value,
                        const std::string& says) {
    return setting(what, key, value, says, ErrorKind::unsupported_model);
}

/// A tensor more.
AdapterCase withTensor(const std::string& name, const std::string& says,
                       ErrorKind kind = ErrorKind::unsupported_model) {
    return {"tensor " + name,
            [name](PlannedAdapter& adapter) {
                adapter.tensors.push_back(countingTensor(name, {2, 2}, 1));
            },
            says, kind};
}

AdapterCase renamed(const std::string& to, const std::string& says) {
    return {"q_proj named " + to, [to](PlannedAdapter& adapter) { adapter.a("0.q_proj").name = to; }, says};
}

std::vector<AdapterCase> badSettings() {
    const double huge = std::numeric_limits<double>::max();
    return {
        setting("rank 0", "r", 0, "r: is 0, must be 1 to 65536"),
        setting("rank below 0", "r", -2, "r: is -2, must be 1 to 65536"),
        setting("rank of half", "r", 0.5, "r: must be"),
        setting("rank as text", "r", "2", "r: must be"),
        setting("rank beyond bounds", "r", 1'000'000, "r: is 1000000, must be 1 to 65536"),
        setting("rank too large for 64 bits", "r", 1e30, "r: must be an integer"),
        {"no rank", [](PlannedAdapter& adapter) { adapter.config.erase("r"); }, "r: "},
        setting("rank that the tensors do not have", "r", 3,
                "this model and adapter_config.json ask for [3, 8]"),
        setting("alpha 0", "lora_alpha", 0, "lora_alpha: is 0, must be above 0"),
        setting("alpha below 0", "lora_alpha", -8, "lora_alpha: is -8, must be above 0"),
        setting("alpha null", "lora_alpha", nullptr, "lora_alpha: is missing"),
        setting("alpha as text", "lora_alpha", "NaN", "lora_alpha: must be"),
        setting("alpha a list", "lora_alpha", Json::array({4}), "lora_alpha: must be"),
        setting("alpha of a module 0", "alpha_pattern", {{"q_proj", 0}}, "q_proj: is 0, must be"),
        setting("rank of a module 0", "rank_pattern", {{"q_proj", 0}}, "q_proj: is 0, must be"),
        setting("scale beyond the range of float32", "lora_alpha", huge, "lora_alpha"),
        setting("dropout above 1", "lora_dropout", 1.5, "lora_dropout: must be a number from 0 to 1"),
        setting("dropout as text", "lora_dropout", "x", "lora_dropout: must be a number from 0 to 1"),
        setting("a target that no model has", "target_modules", Json::array({"q_proj", "query_key_value"}),
                "\"query_key_value\" is no module of this model"),
        setting("a target in a layer too many", "target_modules",
                Json::array({"model.layers.2.self_attn.q_proj"}), "is no module of this model"),
        setting("no targets", "target_modules", Json::array(), "must be a list of 1 to"),
        setting("a target that is a number", "target_modules", Json::array({1}),
                "must be a list of module names"),
        setting("a target without tensors", "target_modules", Json::array({"q_proj", "v_proj", "k_proj"}),
                "is missing, though adapter_config.json targets its module"),
        setting("tensors without a target", "target_modules", Json::array({"q_proj"}),
                "adapter_config.json does not target this module"),
        setting("layers that there are not", "layers_to_transform", Json::array({0, 2}),
                "layers_to_transform: must be layers from 0 to 1"),
        setting("tensors of layers that are left out", "layers_to_transform", Json::array({0}),
                "adapter_config.json does not target this module"),
    };
}

std::vector<AdapterCase> otherMethods() {
    return {
        unsupported("DoRA", "use_dora", true, "DoRA is not supported"),
        unsupported("another method", "peft_type", "IA3", "only LORA is supported"),
        unsupported("trained biases", "bias", "lora_only", "trained biases are not supported"),
        unsupported("biases of LoRA", "lora_bias", true, "lora_bias"),
        unsupported("whole modules", "modules_to_save", Json::array({"lm_head"}), "whole trained modules"),
        unsupported("another task", "task_type", "SEQ_CLS", "only CAUSAL_LM is supported"),
        unsupported("transposed weights", "fan_in_fan_out", true, "transposed weights"),
        unsupported("a changed base model", "init_lora_weights", "pissa", "may change the base model"),
        unsupported("targets by a pattern", "target_modules", "all-linear", "a pattern is not supported"),
        unsupported("LoRA of the MLP", "target_modules", Json::array({"q_proj", "v_proj", "up_proj"}),
                    "\"up_proj\": only q_proj"),
        unsupported("ranks by a pattern", "rank_pattern", {{".*q_proj", 2}}, "is a regular expression"),
        unsupported("an option of a newer peft", "use_magic", true, "use_magic: this option of peft"),
        {"no method", [](PlannedAdapter& adapter) { adapter.config.erase("peft_type"); },
         "peft_type: is missing"},
        withTensor("base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector", "DoRA"),
        withTensor("base_model.model.model.layers.0.self_attn.q_proj.base_layer.bias", "a trained bias"),
        withTensor("base_model.model.model.layers.0.self_attn.q_proj.lora_B.bias", "a bias of LoRA"),
        withTensor("base_model.model.lm_head.modules_to_save.weight", "a whole trained module"),
        withTensor("base_model.model.model.embed_tokens.lora_embedding_A", "LoRA of an embedding"),
        withTensor("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight", "LoRA of up_proj"),
    };
}

std::vector<AdapterCase> otherTensors() {
    const std::string of_this = "is no LoRA tensor of this model (LlamaForCausalLM with 2 layers)";
    return {
        renamed("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", of_this),
        renamed("base_model.model.model.layers.2.self_attn.q_proj.lora_A.weight", of_this),
        renamed("base_model.model.model.layers.00.self_attn.q_proj.lora_A.weight", of_this),
        renamed("base_model.model.model.layers.-1.self_attn.q_proj.lora_A.weight", of_this),
        renamed("base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight", of_this),
        renamed("model.layers.0.self_attn.q_proj.weight", of_this),
        renamed("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight\xC2\x9B", "\\x"),
        {"A and B that do not multiply",
         [](PlannedAdapter& adapter) {
             adapter.b("0.q_proj") = countingTensor(adapter.b("0.q_proj").name, {16, 3}, 1);
         },
         "does not multiply with lora_A's [2, 8]"},
        {"A of another width",
         [](PlannedAdapter& adapter) {
             adapter.a("1.v_proj") = countingTensor(adapter.a("1.v_proj").name, {2, 9}, 1);
         },
         "has shape [2, 9], this model and adapter_config.json ask for [2, 8]"},
        {"B of another width",
         [](PlannedAdapter& adapter) {
             adapter.b("1.v_proj") = countingTensor(adapter.b("1.v_proj").name, {16, 2}, 1);
         },
         "has shape [16, 2], this model and adapter_config.json ask for [8, 2]"},
        {"A transposed",
         [](PlannedAdapter& adapter) {
             adapter.a("0.q_proj").shape = {8, 2};
         },
         "does not multiply"},
        {"B of one dimension", [](PlannedAdapter& adapter) { adapter.b("0.q_proj").shape = {32}; },
         "has shape [32]"},
        {"B missing", [](PlannedAdapter& adapter) { adapter.tensors.erase(adapter.tensors.begin() + 1); },
         "tensor \"base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight\": is missing"},
        {"no tensors", [](PlannedAdapter& adapter) { adapter.tensors.clear(); }, "holds no tensors"},
        {"NaN", [](PlannedAdapter& adapter) { setFirst(adapter.a("0.q_proj"), NAN); }, "element 0 is NaN"},
        {"infinity", [](PlannedAdapter& adapter) { setFirst(adapter.b("1.v_proj"), INFINITY); },
         "element 0 is infinite"},
        {"float64",
         [](PlannedAdapter& adapter) {
             adapter.a("0.q_proj") =
                 plannedTensor(adapter.a("0.q_proj").name, "F64", {2, 8}, std::vector<float>(16));
         },
         "is stored as F64", ErrorKind::unsupported_model},
    };
}

std::vector<AdapterCase> badFiles() {
    const auto nothing = [](PlannedAdapter&) {};
    const auto config = [](const std::string& text) {
        return [text](const fs::path& folder) { writeFile(folder / "adapter_config.json", text); };
    };
    return {
        {"no folder", nothing, "", ErrorKind::not_found,
         [](const fs::path& folder) { fs::remove_all(folder); }},
        {"no config", nothing, "adapter_config.json", ErrorKind::not_found,
         [](const fs::path& folder) { fs::remove(folder / "adapter_config.json"); }},
        {"no tensors", nothing, "adapter_model.safetensors", ErrorKind::not_found,
         [](const fs::path& folder) { fs::remove(folder / "adapter_model.safetensors"); }},
        {"a pickle", nothing, "adapter_model.bin: a pickle file", ErrorKind::file_format,
         [](const fs::path& folder) {
             fs::rename(folder / "adapter_model.safetensors", folder / "adapter_model.bin");
         }},
        {"a link that leads outside", nothing, "adapter_model.safetensors", ErrorKind::file_format,
         [](const fs::path& folder) {
             fs::rename(folder / "adapter_model.safetensors", folder.parent_path() / "outside.safetensors");
             fs::create_symlink("../outside.safetensors", folder / "adapter_model.safetensors");
         }},
        {"a list for a config", nothing, "must be a JSON object", ErrorKind::file_format, config("[]")},
        {"a key twice", nothing, "adapter_config.json", ErrorKind::file_format,
         config(R"({"r": 1, "r": 2})")},
        {"alpha NaN", nothing, "adapter_config.json", ErrorKind::file_format,
         config(R"({"peft_type": "LORA", "r": 2, "lora_alpha": NaN})")},
        {"alpha beyond every number", nothing, "adapter_config.json", ErrorKind::file_format,
         config(R"({"peft_type": "LORA", "r": 2, "lora_alpha": 1e999})")},
        {"a config of 2 MiB", nothing, "adapter_config.json", ErrorKind::file_format,
         config(std::string(size_t{2} << 20, ' '))},
        {"100,000 open brackets", nothing, "adapter_config.json", ErrorKind::file_format,
         config(std::string(100'000, '['))},
        {"a cut file", nothing, "adapter_model.safetensors", ErrorKind::file_format,
         [](const fs::path& folder) {
             const fs::path file = folder / "adapter_model.safetensors";
             fs::resize_file(file, fs::file_size(file) - 1);
         }},
    };
}

}  // namespace

std::vector<AdapterCase> adaptersToRefuse() {
    std::vector<AdapterCase> all;
    for (const std::vector<AdapterCase>& some : {badSettings(), otherMethods(), otherTensors(), badFiles()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

}  // namespace spd::test
