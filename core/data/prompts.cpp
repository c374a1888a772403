#include "core/data/prompts.h"

#include <fmt/format.h>

#include "core/data/json_lines.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

void checkMessages(const Json& messages) {
    if (!messages.is_array())
        throw rowError("\"messages\" is to be a list of messages");
    if (messages.empty())
        throw rowError("\"messages\" is empty");
    for (size_t i = 0; i < messages.size(); ++i) {
        if (!messages[i].is_object())
            throw rowError(fmt::format("message {} (from 0) is no object", i));
        try {
            requireString(messages[i], "role");  // what else there must be, the template says
        } catch (const Error& error) {
            throw rowError(fmt::format("message {} (from 0): {}", i, error.what()));
        }
    }
}

Prompt readPrompt(int64_t line, const Json& row) {
    Prompt prompt = {.id = readPromptId(row, line), .line = line, .prompt = {}, .messages = nullptr};
    const Json* messages = findField(row, "messages");
    if (messages != nullptr && findField(row, "prompt") != nullptr)
        throw rowError("both \"prompt\" and \"messages\"; one of them is wanted");
    if (messages != nullptr) {
        checkMessages(*messages);
        prompt.messages = *messages;
        return prompt;
    }
    prompt.prompt = requireString(row, "prompt");
    if (prompt.prompt->empty())
        throw rowError("\"prompt\" is empty");
    return prompt;
}

}  // namespace

Json toJson(const PromptId& id) {
    return std::visit([](const auto& value) { return Json(value); }, id);
}

std::string toText(const PromptId& id) {
    return toJson(id).dump(-1, ' ', false, Json::error_handler_t::replace);
}

PromptId readPromptId(const Json& row, int64_t line) {
    const Json* id = findField(row, "id");
    if (id == nullptr)
        return line;
    if (id->is_string())
        return id->get<std::string>();
    if (!isInt64(*id))
        throw rowError("\"id\" is to be a string or an integer of 64 bits");
    // The parser keeps -0 as a signed zero, which would come back as 0.
    if (!id->is_number_unsigned() && *id == 0)
        throw rowError("\"id\" is -0");
    return id->get<int64_t>();
}

void KnownIds::add(const PromptId& id, int64_t line) {
    const auto [entry, is_new] = lines_.emplace(id, line);
    if (!is_new)
        throw rowError(
            fmt::format("id {} is already that of line {}", printable(toText(id), 80), entry->second + 1));
}

std::vector<Prompt> readPrompts(const std::filesystem::path& path) {
    std::vector<Prompt> prompts;
    KnownIds known;
    readJsonLines(path, [&](int64_t line, const Json& row) {
        Prompt prompt = readPrompt(line, row);
        known.add(prompt.id, line);
        prompts.push_back(std::move(prompt));
    });
    return prompts;
}

std::vector<IdsRow> readIds(const std::filesystem::path& path,
                            const std::function<void(const IdsRow&)>& check) {
    std::vector<IdsRow> rows;
    KnownIds known;
    readJsonLines(path, [&](int64_t line, const Json& row) {
        IdsRow ids = {.line = line, .id = readPromptId(row, line), .ids = requireIntegers(row, "ids")};
        if (ids.ids.empty())
            throw rowError("\"ids\" is empty");
        const auto length = static_cast<int64_t>(ids.ids.size());
        ids.prompt_length =
            findField(row, "prompt_length") == nullptr ? length : requireInteger(row, "prompt_length");
        if (ids.prompt_length < 0 || ids.prompt_length > length)
            throw rowError(fmt::format("\"prompt_length\" is {}, must be 0 to {}, the number of ids",
                                       ids.prompt_length, length));
        if (check)
            check(ids);
        known.add(ids.id, line);
        rows.push_back(std::move(ids));
    });
    return rows;
}

}  // namespace spd
