#include "core/protocol/answers/models.h"

#include "core/protocol/answers/json_parts.h"
#include "core/protocol/params.h"

namespace spd::protocol {

using nlohmann::ordered_json;

std::optional<LoadedModel> LoadedModel::fromJson(const ordered_json& json) {
    if (json.is_null())
        return std::nullopt;
    Params params(json);
    return LoadedModel{.model = params.text("model"),
                       .revision = params.text("revision", ""),
                       .dtype = params.text("dtype", ""),
                       .bytes = params.integer("bytes", 0)};
}

ModelList ModelList::fromJson(const ordered_json& json) {
    Params params(json);
    ModelList list{.models = {},
                   .folder = params.text("folder", ""),
                   .cache = params.text("cache", ""),
                   .resident = LoadedModel::fromJson(json.value("resident", ordered_json()))};
    for (const ordered_json& model : listAt(json, "models")) {
        Params one(model);
        list.models.push_back({.model = one.text("model"),
                               .source = one.text("source", ""),
                               .folder = one.text("folder", ""),
                               .revision = one.text("revision", ""),
                               .architecture = one.text("architecture", ""),
                               .dtype = one.text("dtype", ""),
                               .bytes = one.integer("bytes", 0),
                               .complete = one.flag("complete", false),
                               .problem = one.text("problem", "")});
    }
    return list;
}

}  // namespace spd::protocol
