#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/text_range.h"

namespace spd {

/// A template with its fields filled in.
struct FilledTemplate {
    std::string text;
    std::map<std::string, TextRange, std::less<>> fields;  ///< bytes of `text`; of the last use of a field
};

/// What stands in resources/prompts.toml: texts with {field} in them. Immutable; thread-safe.
class PromptTemplates {
public:
    /// The program's own. @throws Error not_found, file_format
    static PromptTemplates open();
    /// @param file  name used in messages. @throws Error file_format (no TOML, a template that is missing or
    /// unknown, a field that its task does not have)
    static PromptTemplates parse(const std::string& toml, const std::string& file);

    /// @param key  "math.prompt"; one that open() asks for.
    FilledTemplate fill(std::string_view key,
                        const std::vector<std::pair<std::string_view, std::string_view>>& fields) const;

    /// SHA-256 over the names and texts of a task's templates; comments and layout do not count.
    /// @param task  "math", "qa" or "code"
    std::string sha256(std::string_view task) const;

private:
    std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace spd
