#include "core/protocol/answers/calibration.h"

#include "core/protocol/message.h"
#include "core/protocol/params.h"

namespace spd::protocol {

using nlohmann::ordered_json;

ordered_json ExampleRow::source() const {
    if (has_text)
        return {{"id", id}, {"prompt", prompt}, {"completion", completion}, {"spans", toJson(spans)}};
    return {{"id", id}, {"input_ids", ids}, {"target_positions", targets}};
}

ExampleRow ExampleRow::fromJson(const ordered_json& json) {
    Params params(json);
    ExampleRow row{.id = json.value("id", ordered_json()),
                   .prompt = params.text("prompt", ""),
                   .completion = params.text("completion", ""),
                   .spans = rangesAt(json, "spans"),
                   .has_text = params.has("completion"),
                   .problem = params.text("problem", ""),
                   .ids = {},
                   .texts = params.texts("texts"),
                   .prompt_tokens = params.optionalInteger("prompt_tokens"),
                   .targets = integersAt(json, "targets")};
    for (const int64_t id : integersAt(json, "ids"))
        row.ids.push_back(static_cast<int32_t>(id));
    if (row.ids.size() != row.texts.size())
        throw Refusal(Code::invalid_params, "texts: must be as many as ids");
    for (const int64_t target : row.targets)
        if (target < 0 || target >= std::ssize(row.ids))
            throw Refusal(Code::invalid_params, "targets: must be positions of ids");
    return row;
}

namespace {

ExampleOverlap readOverlap(const ordered_json& json) {
    Params params(json);
    ExampleOverlap overlap{.training_prompts = params.integer("training_prompts", 0),
                           .also_trained_on = params.integer("also_trained_on", 0),
                           .leaks = {}};
    for (const ordered_json& leak : listAt(json, "leaks")) {
        Params one(leak);
        overlap.leaks.push_back(
            {.task = one.text("task"), .message = one.text("message", ""), .details = one.texts("details")});
    }
    return overlap;
}

}  // namespace

ExampleList ExampleList::fromJson(const ordered_json& json) {
    Params params(json);
    ExampleList list{.examples = {},
                     .total = params.integer("total"),
                     .usable = params.integer("usable", 0),
                     .overlap = std::nullopt};
    for (const ordered_json& row : listAt(json, "examples"))
        list.examples.push_back(ExampleRow::fromJson(row));
    if (params.has("overlap"))
        list.overlap = readOverlap(params.object("overlap"));
    return list;
}

TaskList TaskList::fromJson(const ordered_json& json) {
    TaskList list;
    for (const ordered_json& task : listAt(json, "tasks")) {
        Params one(task);
        list.tasks.push_back({.task = one.text("task"),
                              .data = one.text("data", ""),
                              .training_prompts = one.integer("training_prompts", 0)});
    }
    for (const ordered_json& set : listAt(json, "data_sets")) {
        Params one(set);
        list.data_sets.push_back(
            {.name = one.text("name"), .rows = one.integer("rows", 0), .licence = one.text("licence", "")});
    }
    return list;
}

}  // namespace spd::protocol
