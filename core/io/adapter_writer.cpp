#include "core/io/adapter_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/adapter/model_card.h"
#include "core/io/adapter/peft_config.h"
#include "core/io/adapter/tensor_names.h"
#include "core/io/safetensors/writer.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

/// Of peft, whose files these equal.
constexpr const char* peft_version = "0.21.2";

void checkAdapter(const LoraAdapter& adapter, const ModelConfig& config) {
    std::set<std::pair<int64_t, AttentionLinear>> seen;
    for (const LoraModule& module : adapter.modules) {
        const std::string path = modulePath(module.layer, module.linear);
        if (module.layer < 0 || module.layer >= config.num_hidden_layers ||
            !seen.insert({module.layer, module.linear}).second)
            throw Error(ErrorKind::internal, path + ": not a module of the model, or there twice");
        if (module.r < 1 || !std::isfinite(module.scale) || module.scale <= 0 ||
            static_cast<int64_t>(module.a.size()) != module.r * inWidth(config, module.linear) ||
            static_cast<int64_t>(module.b.size()) != module.r * outWidth(config, module.linear))
            throw Error(ErrorKind::internal, path + ": LoRA of another shape, or without a scale");
    }
    if (seen.empty())
        throw Error(ErrorKind::internal, "an adapter without modules");
}

/// Short names where a linear has LoRA on every layer, else the paths of those that have.
std::vector<std::string> targetModules(const LoraAdapter& adapter, const ModelConfig& config) {
    std::map<AttentionLinear, std::vector<int64_t>> layers;
    for (const LoraModule& module : adapter.modules)
        layers[module.linear].push_back(module.layer);
    std::vector<std::string> targets;
    for (const auto& [linear, of_linear] : layers) {
        if (static_cast<int64_t>(of_linear.size()) == config.num_hidden_layers) {
            targets.emplace_back(moduleName(linear));
            continue;
        }
        for (const int64_t layer : of_linear)
            targets.push_back(modulePath(layer, linear));
    }
    return targets;
}

/// 8 instead of 8.0, as peft writes what was given as an integer.
Json number(double value) {
    constexpr double exact_limit = 9007199254740992.0;  // 2^53
    if (std::abs(value) < exact_limit && value == std::floor(value))
        return static_cast<int64_t>(value);
    return value;
}

Json rankPattern(const LoraAdapter& adapter) {
    Json pattern = Json::object();
    for (const LoraModule& module : adapter.modules)
        if (module.r != adapter.r)
            pattern[modulePath(module.layer, module.linear)] = module.r;
    return pattern;
}

Json alphaPattern(const LoraAdapter& adapter) {
    constexpr double same = 1e-14;  // a scale went through a multiplication and a division
    Json pattern = Json::object();
    for (const LoraModule& module : adapter.modules) {
        const auto r = static_cast<double>(module.r);
        if (std::abs(module.scale * r - adapter.lora_alpha) > same * adapter.lora_alpha)
            pattern[modulePath(module.layer, module.linear)] = number(module.scale * r);
    }
    return pattern;
}

/// In the order of the alphabet, as peft writes it.
Json configJson(const LoraAdapter& adapter, const ModelConfig& config) {
    const auto textOrNull = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
    return {{"alpha_pattern", alphaPattern(adapter)},
            {"auto_mapping", nullptr},
            {"base_model_name_or_path", textOrNull(adapter.base_model_name_or_path)},
            {"bias", "none"},
            {"fan_in_fan_out", false},
            {"inference_mode", true},
            {"init_lora_weights", true},
            {"layers_pattern", nullptr},
            {"layers_to_transform", nullptr},
            {"lora_alpha", number(adapter.lora_alpha)},
            {"lora_dropout", adapter.lora_dropout},
            {"modules_to_save", nullptr},
            {"peft_type", "LORA"},
            {"peft_version", peft_version},
            {"r", adapter.r},
            {"rank_pattern", rankPattern(adapter)},
            {"revision", textOrNull(adapter.revision)},
            {"target_modules", targetModules(adapter, config)},
            {"task_type", "CAUSAL_LM"},
            {"use_dora", false},
            {"use_rslora", false}};
}

void writeTensors(const fs::path& path, const LoraAdapter& adapter, const ModelConfig& config) {
    std::vector<TensorInfo> tensors;
    std::map<std::string, const std::vector<float>*> values;
    for (const LoraModule& module : adapter.modules) {
        const std::string a = loraTensorName(module.layer, module.linear, /*is_a=*/true);
        const std::string b = loraTensorName(module.layer, module.linear, /*is_a=*/false);
        tensors.push_back({a, ElementType::f32, {module.r, inWidth(config, module.linear)}});
        tensors.push_back({b, ElementType::f32, {outWidth(config, module.linear), module.r}});
        values[a] = &module.a;
        values[b] = &module.b;
    }
    SafetensorsWriter writer(path, std::move(tensors), {{"format", "pt"}});
    for (const TensorInfo& tensor : writer.order()) {
        const std::vector<float>& of_tensor = *values.at(tensor.name);
        writer.append(of_tensor.data(), of_tensor.size() * sizeof(float));
    }
    writer.commit();
}

std::string prettyJson(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

void nameBaseModel(LoraAdapter& adapter, const ModelLocation& base) {
    adapter.revision = base.revision;
    adapter.base_model_name_or_path = base.id;
    if (!base.revision.empty())
        return;
    std::error_code error;
    fs::path path = fs::absolute(base.id, error).lexically_normal();
    if (!path.has_filename())  // written with a slash at the end
        path = path.parent_path();
    adapter.base_model_name_or_path = path.filename();
}

void writeAdapterFiles(const fs::path& folder, const LoraAdapter& adapter, const ModelConfig& config,
                       const Json& provenance) {
    checkAdapter(adapter, config);
    writeTensors(folder / kAdapterTensors, adapter, config);
    writeFileAtomically(folder / kAdapterConfig, prettyJson(configJson(adapter, config)));
    writeFileAtomically(folder / kProvenance, prettyJson(provenance));
    writeFileAtomically(folder / "README.md", adapterCard(adapter, provenance));
}

}  // namespace spd
