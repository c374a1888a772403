#include "core/protocol/answers/inspection.h"

#include <fmt/format.h>

#include "core/protocol/answers/json_parts.h"
#include "core/protocol/params.h"

namespace spd::protocol {
namespace {

using nlohmann::ordered_json;

/// A member as words: texts bare, lists with commas, objects as "key value".
std::string words(const ordered_json& json) {
    if (json.is_null())
        return "none";
    if (json.is_string())
        return json.get<std::string>();
    if (json.is_boolean())
        return json.get<bool>() ? "yes" : "no";
    if (json.is_number_float())
        return fmt::format("{:g}", json.get<double>());
    if (!json.is_structured())
        return json.dump();
    std::string text;
    for (const auto& [key, value] : json.items())
        text += (text.empty() ? "" : ", ") + (json.is_object() ? key + " " : std::string()) + words(value);
    return text.empty() ? "none" : text;
}

std::vector<std::pair<std::string, std::string>> factsOf(const ordered_json& json) {
    std::vector<std::pair<std::string, std::string>> facts;
    for (const char* key :
         {"parameters", "kv_width", "tied", "rope", "stored", "vocabulary", "tokenizer", "chat_template"})
        if (json.contains(key))
            facts.emplace_back(key, words(json[key]));
    const auto config = json.find("config");
    if (config != json.end() && config->is_object())
        for (const auto& [key, value] : config->items())
            facts.emplace_back(key, words(value));
    return facts;
}

InspectedTensor readTensor(const ordered_json& json) {
    Params params(json);
    return {.name = params.text("name"),
            .state = params.text("state"),
            .dtype = params.text("dtype", ""),
            .file = params.text("file", ""),
            .shape = integersAt(json, "shape"),
            .expected_shape = integersAt(json, "expected_shape")};
}

StageMemory readMemory(const ordered_json& json) {
    Params params(json);
    return {.dtype = params.text("dtype"),
            .context = params.integer("context"),
            .sequences = params.integer("slots", 0),
            .weights = params.integer("weights_bytes"),
            .kv_cache_per_slot = params.integer("kv_cache_bytes_per_slot", 0),
            .generate = params.integer("generate_bytes"),
            .calibrate = params.integer("calibrate_bytes"),
            .train = params.integer("train_bytes")};
}

}  // namespace

EngineMachine EngineMachine::fromJson(const ordered_json& json) {
    Params params(json);
    return {.processor = params.text("processor", ""),
            .threads = params.integer("threads", 0),
            .memory_total = params.integer("memory_total", 0),
            .memory_available = params.integer("memory_available", 0),
            .gpus = params.texts("gpus")};
}

ModelInspection ModelInspection::fromJson(const ordered_json& json) {
    Params params(json);
    const ordered_json model = params.object("model"), config = params.object("config");
    Params named(model), shape(config);
    ModelInspection found{.model = named.text("id"),
                          .folder = named.text("folder", ""),
                          .revision = named.text("revision", ""),
                          .loads = params.flag("loads", false),
                          .refusals = params.texts("refusals"),
                          .oddities = params.texts("oddities"),
                          .architecture = params.text("architecture", ""),
                          .parameters = params.integer("parameters", 0),
                          .num_hidden_layers = shape.integer("num_hidden_layers", 0),
                          .facts = factsOf(json),
                          .memory = std::nullopt,
                          .tensors = {},
                          .machine = EngineMachine::fromJson(params.object("machine"))};
    if (params.has("memory"))
        found.memory = readMemory(params.object("memory"));
    for (const ordered_json& tensor : listAt(json, "tensors"))
        found.tensors.push_back(readTensor(tensor));
    return found;
}

}  // namespace spd::protocol
