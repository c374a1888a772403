#include "core/io/adapter/peft_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/io/adapter/target_names.h"
#include "core/io/config/fields.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t most_names = 4096;

/// Read by this file, or of no effect on a trained adapter.
constexpr std::array<std::string_view, 30> known_keys = {"peft_type",      "r",
                                                         "lora_alpha",     "lora_dropout",
                                                         "use_rslora",     "target_modules",
                                                         "rank_pattern",   "alpha_pattern",
                                                         "bias",           "modules_to_save",
                                                         "task_type",      "layers_to_transform",
                                                         "revision",       "layers_pattern",
                                                         "use_dora",       "base_model_name_or_path",
                                                         "auto_mapping",   "init_lora_weights",
                                                         "eva_config",     "inference_mode",
                                                         "peft_version",   "megatron_core",
                                                         "loftq_config",   "megatron_config",
                                                         "corda_config",   "qalora_group_size",
                                                         "lora_ga_config", "ensure_weight_tying",
                                                         "runtime_config", "fan_in_fan_out"};

/// How the weights were before training; these ways leave the base model as it is.
constexpr std::array<std::string_view, 3> harmless_inits = {"gaussian", "eva", "orthogonal"};

bool isNothing(const Json& value) {
    return value.is_null() || value == false || value == "" || (value.is_structured() && value.empty());
}

void requireText(const JsonFields& fields, std::string_view key, std::string_view only,
                 std::string_view rule) {
    if (const std::optional<std::string> text = fields.text(key); text && *text != only)
        fields.refuseUnsupported(key, fmt::format("is \"{}\", {}", printable(*text, 60), rule));
}

void refuseInit(const JsonFields& fields) {
    const Json* init = fields.find("init_lora_weights");
    if (init == nullptr || init->is_boolean())
        return;
    if (!init->is_string())
        fields.refuse("init_lora_weights", "must be true, false or a name");
    const auto& way = init->get_ref<const std::string&>();
    if (std::find(harmless_inits.begin(), harmless_inits.end(), way) == harmless_inits.end())
        fields.refuseUnsupported(
            "init_lora_weights",
            fmt::format("is \"{}\", which may change the base model; save the adapter as plain LoRA",
                        printable(way, 60)));
}

/// What would make of the tensors something else than y += scale B (A x).
void refuseOtherMethods(const JsonFields& fields) {
    if (!fields.has("peft_type"))
        fields.refuse("peft_type", "is missing");
    requireText(fields, "peft_type", "LORA", "only LORA is supported");
    requireText(fields, "task_type", "CAUSAL_LM", "only CAUSAL_LM is supported");
    requireText(fields, "bias", "none", "trained biases are not supported");
    if (fields.flag("use_dora", false))
        fields.refuseUnsupported("use_dora", "DoRA is not supported");
    refuseInit(fields);
    if (const Json* saved = fields.find("modules_to_save"); saved != nullptr && !isNothing(*saved))
        fields.refuseUnsupported("modules_to_save", "whole trained modules are not supported");
    for (const auto& [key, value] : fields.json().items())
        if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end() && !isNothing(value))
            fields.refuseUnsupported(printable(key, 60), "this option of peft is not supported");
}

std::vector<std::string> readTargets(const JsonFields& fields, const TargetNames& names) {
    const Json* value = fields.find("target_modules");
    if (value == nullptr)
        fields.refuse("target_modules", "is missing");
    if (value->is_string())
        fields.refuseUnsupported("target_modules", "a pattern is not supported; list the modules' names");
    if (!value->is_array() || value->empty() || value->size() > most_names)
        fields.refuse("target_modules", fmt::format("must be a list of 1 to {} module names", most_names));
    std::vector<std::string> targets;
    for (const Json& target : *value) {
        if (!target.is_string())
            fields.refuse("target_modules", "must be a list of module names");
        targets.push_back(target.get<std::string>());
        const std::string shown = printable(targets.back(), 100);
        switch (names.kindOf(targets.back())) {
            case TargetNames::Kind::unknown:
                fields.refuse("target_modules", fmt::format("\"{}\" is no module of this model", shown));
            case TargetNames::Kind::other:
                fields.refuseUnsupported(
                    "target_modules",
                    fmt::format("\"{}\": only q_proj, k_proj, v_proj and o_proj are supported", shown));
            case TargetNames::Kind::attention:
                break;
        }
    }
    std::sort(targets.begin(), targets.end());
    return targets;
}

/// An integer or a list of them; an empty list is no limit, as it is for peft.
std::optional<std::vector<int64_t>> readLayers(const JsonFields& fields, int64_t num_hidden_layers) {
    const Json* value = fields.find("layers_to_transform");
    if (value == nullptr || (value->is_array() && value->empty()))
        return std::nullopt;
    const Json* pattern = fields.find("layers_pattern");
    if (pattern != nullptr && !isNothing(*pattern) && *pattern != "layers" && *pattern != Json({"layers"}))
        fields.refuseUnsupported("layers_pattern", "only \"layers\" is supported");
    std::vector<int64_t> layers;
    for (const Json& layer : value->is_array() ? *value : Json::array({*value})) {
        if (!layer.is_number_unsigned() || layer.get<uint64_t>() >= static_cast<uint64_t>(num_hidden_layers))
            fields.refuse("layers_to_transform",
                          fmt::format("must be layers from 0 to {}", num_hidden_layers - 1));
        layers.push_back(layer.get<int64_t>());
    }
    std::sort(layers.begin(), layers.end());
    return layers;
}

/// Exceptions by module name. peft takes the names for regular expressions; only those are read in which
/// nothing but a leading ^ is special.
template <typename Value, typename Read>
std::vector<std::pair<std::string, Value>> readPattern(const JsonFields& fields, std::string_view key,
                                                       const Read& read) {
    std::vector<std::pair<std::string, Value>> pattern;
    const std::optional<JsonFields> object = fields.object(key);
    if (!object)
        return pattern;
    if (object->json().size() > most_names)
        fields.refuse(key, fmt::format("has more than {} entries", most_names));
    for (const auto& [name, value] : object->json().items()) {
        if (!isPlainPattern(name))
            object->refuseUnsupported(printable(name, 100), "is a regular expression");
        pattern.emplace_back(name, read(*object, name));
    }
    return pattern;
}

double requiredAlpha(const JsonFields& fields, std::string_view key) {
    const std::optional<double> alpha = fields.positiveNumber(key);
    if (!alpha)
        fields.refuse(key, "is missing");
    if (*alpha > static_cast<double>(std::numeric_limits<float>::max()))
        fields.refuse(key, "is more than float32 holds");
    return *alpha;
}

double readDropout(const JsonFields& fields) {
    const Json* value = fields.find("lora_dropout");
    if (value == nullptr)
        return 0;
    if (!value->is_number() || !(value->get<double>() >= 0 && value->get<double>() <= 1))
        fields.refuse("lora_dropout", "must be a number from 0 to 1");
    return value->get<double>();
}

template <typename Value>
Value exceptionFor(const std::vector<std::pair<std::string, Value>>& pattern, const std::string& path,
                   Value otherwise) {
    const auto found = std::find_if(pattern.begin(), pattern.end(),
                                    [&](const auto& entry) { return fitsPattern(entry.first, path); });
    return found == pattern.end() ? otherwise : found->second;
}

}  // namespace

std::string modulePath(int64_t layer, AttentionLinear linear) {
    return fmt::format("model.layers.{}.self_attn.{}", layer, moduleName(linear));
}

bool PeftConfig::targets(int64_t layer, AttentionLinear linear) const {
    const std::string path = modulePath(layer, linear);
    const auto named = [&](std::string_view name) {
        return std::binary_search(target_modules.begin(), target_modules.end(), name, std::less<>());
    };
    if (named(path))
        return true;  // peft lets a full path pass whatever layers_to_transform says
    if (layers_to_transform &&
        !std::binary_search(layers_to_transform->begin(), layers_to_transform->end(), layer))
        return false;
    const std::vector<std::string_view> ends = endsOf(path);
    return std::any_of(ends.begin(), ends.end(), named);
}

int64_t PeftConfig::rankOf(int64_t layer, AttentionLinear linear) const {
    return exceptionFor(rank_pattern, modulePath(layer, linear), r);
}

double PeftConfig::scaleOf(int64_t layer, AttentionLinear linear) const {
    const double alpha = exceptionFor(alpha_pattern, modulePath(layer, linear), lora_alpha);
    const auto rank = static_cast<double>(rankOf(layer, linear));
    return alpha / (use_rslora ? std::sqrt(rank) : rank);
}

PeftConfig parsePeftConfig(std::string_view json, const std::string& file, const ModelConfig& config) {
    const Json object = parseStrictJson(json, file, {most_adapter_config_bytes, /*max_depth=*/16});
    if (!object.is_object())
        throw Error::fileFormat(file, "", "must be a JSON object");
    const JsonFields fields(object, file);
    refuseOtherMethods(fields);
    PeftConfig peft;
    peft.r = fields.requiredInteger("r", 1, most_rank);
    peft.lora_alpha = requiredAlpha(fields, "lora_alpha");
    peft.lora_dropout = readDropout(fields);
    peft.use_rslora = fields.flag("use_rslora", false);
    if (fields.flag("fan_in_fan_out", false))
        fields.refuseUnsupported("fan_in_fan_out", "transposed weights are not supported");
    peft.base_model_name_or_path = fields.text("base_model_name_or_path").value_or("");
    peft.revision = fields.text("revision").value_or("");
    peft.target_modules = readTargets(fields, TargetNames(config));
    peft.layers_to_transform = readLayers(fields, config.num_hidden_layers);
    peft.rank_pattern = readPattern<int64_t>(fields, "rank_pattern", [](const auto& of, const auto& key) {
        return of.requiredInteger(key, 1, most_rank);
    });
    peft.alpha_pattern = readPattern<double>(fields, "alpha_pattern", requiredAlpha);
    return peft;
}

}  // namespace spd
