#include "core/data/tasks/prompt_templates.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/data/sets/resource_folder.h"

namespace spd {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;

/// Every template there is, with the fields that it may name.
const std::map<std::string, std::vector<std::string>, std::less<>>& knownFields() {
    static const std::map<std::string, std::vector<std::string>, std::less<>> known = {
        {"math.prompt", {"question"}},          {"math.completion", {"answer"}},
        {"qa.prompt", {"question", "choices"}}, {"qa.choice", {"letter", "choice"}},
        {"qa.completion", {"answer"}},          {"code.prompt", {"text", "tests"}},
        {"code.calibration_prompt", {"text"}},  {"code.completion", {"code", "assertions"}}};
    return known;
}

/// A {name} in a template; `begin` is npos where there is no more.
struct Placeholder {
    size_t begin = std::string_view::npos;
    size_t end = 0;
    std::string_view name;
};

Placeholder nextPlaceholder(std::string_view text, size_t from) {
    for (size_t open = text.find('{', from); open != std::string_view::npos;
         open = text.find('{', open + 1)) {
        const size_t close = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", open + 1);
        if (close != std::string_view::npos && close > open + 1 && text[close] == '}')
            return {open, close + 1, text.substr(open + 1, close - open - 1)};
    }
    return {};
}

void checkFields(const std::string& key, const std::string& text, const std::vector<std::string>& fields,
                 const std::string& file) {
    for (Placeholder found = nextPlaceholder(text, 0); found.begin != std::string_view::npos;
         found = nextPlaceholder(text, found.end))
        if (std::find(fields.begin(), fields.end(), found.name) == fields.end())
            throw Error::fileFormat(file, key, fmt::format("there is no field {{{}}}", found.name));
    for (const std::string& field : fields)
        if (text.find("{" + field + "}") == std::string::npos)
            throw Error::fileFormat(file, key, fmt::format("the field {{{}}} is missing", field));
}

toml::table parseToml(const std::string& text, const std::string& file) {
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& error) {
        throw Error::fileFormat(file, fmt::format("line {}", error.source().begin.line),
                                std::string(error.description()));
    }
}

}  // namespace

PromptTemplates PromptTemplates::open() {
    const std::filesystem::path path = resourceFolder() / "prompts.toml";
    return parse(readFile(path, kMostBytes), path.native());
}

PromptTemplates PromptTemplates::parse(const std::string& toml, const std::string& file) {
    PromptTemplates templates;
    for (const auto& [section, table] : parseToml(toml, file)) {
        if (!table.is_table())
            throw Error::fileFormat(file, section.str(), "a table is wanted");
        for (const auto& [key, text] : *table.as_table()) {
            const std::string name = fmt::format("{}.{}", section.str(), key.str());
            const auto known = knownFields().find(name);
            if (known == knownFields().end() || !text.is_string())
                throw Error::fileFormat(file, name, "no template of this program");
            templates.texts_[name] = text.as_string()->get();
            checkFields(name, templates.texts_[name], known->second, file);
        }
    }
    for (const auto& [name, fields] : knownFields())
        if (!templates.texts_.contains(name))
            throw Error::fileFormat(file, name, "missing");
    return templates;
}

FilledTemplate PromptTemplates::fill(
    std::string_view key, const std::vector<std::pair<std::string_view, std::string_view>>& fields) const {
    const std::string& text = texts_.find(key)->second;
    FilledTemplate filled;
    size_t done = 0;
    for (Placeholder found = nextPlaceholder(text, 0); found.begin != std::string_view::npos;
         found = nextPlaceholder(text, done)) {
        filled.text += std::string_view(text).substr(done, found.begin - done);
        done = found.end;
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [&](const auto& entry) { return entry.first == found.name; });
        if (field == fields.end())
            throw Error(ErrorKind::internal, fmt::format("no value for the field {} of {}", found.name, key));
        const size_t begin = filled.text.size();
        filled.text += field->second;
        filled.fields[std::string(found.name)] = {begin, filled.text.size()};
    }
    filled.text += std::string_view(text).substr(done);
    return filled;
}

std::string PromptTemplates::sha256(std::string_view task) const {
    std::string all;
    for (const auto& [name, text] : texts_)
        if (name.starts_with(task) && name[task.size()] == '.')
            all += fmt::format("{} {} {}\n", name, text.size(), text);
    return sha256Hex(all);
}

}  // namespace spd
