#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace spd {

/// Name of a prompt, which comes back in the output as it was read; 1 and "1" are two ids.
using PromptId = std::variant<int64_t, std::string>;

nlohmann::ordered_json toJson(const PromptId& id);
/// The id as JSON text, "1" or "\"a\"": unique for each id, for messages and keys.
std::string toText(const PromptId& id);
/// The field "id" of a row, else `line`. @throws Error rowError() when it is no string or integer
PromptId readPromptId(const nlohmann::ordered_json& row, int64_t line);

/// Which line has which id. Ordered, not hashed: whoever wrote the file may have chosen the ids to collide.
class KnownIds {
public:
    /// @throws Error rowError() when an earlier line has it
    void add(const PromptId& id, int64_t line);

private:
    std::map<PromptId, int64_t> lines_;
};

/// One line of a prompts file. Either `prompt` or `messages` is set, and neither is empty.
struct Prompt {
    PromptId id;
    int64_t line = 0;                   ///< physical line, from 0
    std::optional<std::string> prompt;  ///< nothing where the line has messages
    nlohmann::ordered_json
        messages;  ///< array of objects with a string "role", as transformers takes them; null for a prompt
};

/// Reads lines {"id","prompt"} or {"id","messages"}; other fields are left alone. A missing id is the line's
/// number from 0; equal ids are refused.
/// @throws Error as readJsonLines()
std::vector<Prompt> readPrompts(const std::filesystem::path& path);

/// One line {"ids":[...]} of token ids, with "prompt_length" where a part of them is a completion.
struct IdsRow {
    int64_t line = 0;           ///< physical line, from 0
    PromptId id;                ///< the line's number from 0 where there is none
    std::vector<int64_t> ids;   ///< at least one
    int64_t prompt_length = 0;  ///< 0 to ids.size(); ids.size() where the line does not say
};

/// @param check  what the caller asks of a row besides (the vocabulary's range, a length); throws rowError().
/// @throws Error as readJsonLines()
std::vector<IdsRow> readIds(const std::filesystem::path& path,
                            const std::function<void(const IdsRow&)>& check = {});

}  // namespace spd
