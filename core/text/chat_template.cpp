#include "core/text/chat_template.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/text/jinja/evaluator/evaluator.h"
#include "core/text/jinja/syntax/parser.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;
using jinja::Value;

constexpr size_t max_config_bytes = size_t{16} << 20;
constexpr const char* template_file = "chat_template.jinja";
constexpr const char* config_file = "tokenizer_config.json";
constexpr const char* date_variable = "current_date";

std::string lineName(int line) {
    return line > 0 ? fmt::format("line {}", line) : "";
}

/// {"bos_token": "<s>"} and {"bos_token": {"content": "<s>"}}.
std::vector<std::pair<std::string, std::string>> specialTokens(const Json& config) {
    std::vector<std::pair<std::string, std::string>> tokens;
    for (const auto& [key, value] : config.items()) {
        if (!key.ends_with("_token"))
            continue;
        if (value.is_string())
            tokens.emplace_back(key, value.get<std::string>());
        else if (value.is_object() && value.contains("content") && value["content"].is_string())
            tokens.emplace_back(key, value["content"].get<std::string>());
    }
    return tokens;
}

/// chat_template of tokenizer_config.json; nullopt when absent.
std::optional<std::string> configuredTemplate(const Json& config, const std::string& file) {
    if (!config.contains("chat_template") || config["chat_template"].is_null())
        return std::nullopt;
    const Json& entry = config["chat_template"];
    if (entry.is_string())
        return entry.get<std::string>();
    if (entry.is_array())
        for (const Json& named : entry)
            if (named.is_object() && named.value("name", Json()) == "default" && named.contains("template") &&
                named["template"].is_string())
                return named["template"].get<std::string>();
    throw Error::fileFormat(file, "chat_template",
                            "must be a string or a list of templates with one named default");
}

Json readConfig(const ContainedFolder& folder) {
    if (!folder.has(config_file))
        return Json::object();
    const std::string name = folder.nameOf(config_file);
    JsonLimits limits;
    limits.max_bytes = max_config_bytes;
    Json config = parseStrictJson(folder.readFile(config_file, max_config_bytes), name, limits);
    if (!config.is_object())
        throw Error::fileFormat(name, "", "must be an object");
    return config;
}

/// A message as apply_chat_template hands it on: without nulls, its reasoning under both names.
Json normalizedMessage(const Json& message) {
    Json out = Json::object();
    const Json* reasoning = nullptr;
    for (const char* name : {"reasoning", "thinking", "reasoning_content"})
        if (message.contains(name) && !message[name].is_null())
            reasoning = &message[name];
    if (reasoning)
        out["thinking"] = *reasoning;
    for (const auto& [key, value] : message.items())
        if (!value.is_null())
            out[key] = value;
    if (reasoning)
        out["reasoning_content"] = *reasoning;
    return out;
}

Json normalizedMessages(const Json& messages) {
    if (!messages.is_array() || messages.empty())
        throw Error(ErrorKind::invalid_argument,
                    "chat template: messages must be a list of at least one message");
    Json out = Json::array();
    for (const Json& message : messages) {
        if (!message.is_object())
            throw Error(ErrorKind::invalid_argument, "chat template: every message must be an object");
        out.push_back(normalizedMessage(message));
    }
    return out;
}

jinja::PinnedDate pinnedDate(const Json& variables) {
    if (!variables.contains(date_variable))
        return {};
    const Json& text = variables[date_variable];
    const auto date = text.is_string() ? jinja::parsePinnedDate(text.get<std::string>()) : std::nullopt;
    if (!date)
        throw Error(
            ErrorKind::invalid_argument,
            "chat template: current_date must be YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, a day that exists");
    return *date;
}

}  // namespace

struct ChatTemplate::Impl {
    std::string file;    // in messages
    std::string origin;  // for reports
    jinja::Template tree;
    std::vector<std::pair<std::string, std::string>> special_tokens;

    Impl(const std::string& source, std::string file_name, std::string origin_name)
        : file(std::move(file_name)), origin(std::move(origin_name)) {
        try {
            tree = jinja::parseTemplate(source);
        } catch (const jinja::Fault& fault) {
            throw Error::fileFormat(file, lineName(fault.line()), fault.what());
        }
    }

    jinja::Text render(const Json& messages, const Json& variables, bool add_generation_prompt) const;
    void define(jinja::Evaluator& evaluator, const Json& variables) const;
};

void ChatTemplate::Impl::define(jinja::Evaluator& evaluator, const Json& variables) const {
    evaluator.define("tools", Value(jinja::None{}));
    evaluator.define("documents", Value(jinja::None{}));
    for (const auto& [name, token] : special_tokens)
        evaluator.define(name, Value::text(token));
    for (const auto& [name, value] : variables.items())
        if (name != date_variable)
            evaluator.define(name, jinja::fromJson(value, !name.ends_with("_token")));
}

jinja::Text ChatTemplate::Impl::render(const Json& messages, const Json& variables,
                                       bool add_generation_prompt) const {
    if (!variables.is_object() && !variables.is_null())
        throw Error(ErrorKind::invalid_argument, "chat template: variables must be an object");
    const Json normalized = normalizedMessages(messages);
    jinja::Runtime runtime;
    runtime.date = pinnedDate(variables);
    jinja::Evaluator evaluator(tree, runtime);
    try {
        define(evaluator, variables);
        evaluator.define("messages", jinja::fromJson(normalized, true));
        evaluator.define("add_generation_prompt", Value(add_generation_prompt));
        return evaluator.render();
    } catch (const jinja::Fault& fault) {
        throw Error::fileFormat(file, lineName(evaluator.line()), fault.what());
    }
}

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

std::optional<ChatTemplate> ChatTemplate::open(const std::filesystem::path& path) {
    const ContainedFolder folder = ContainedFolder::open(path);
    const Json config = readConfig(folder);
    const bool has_file = folder.has(template_file);
    const std::string origin = has_file ? template_file : config_file;
    std::optional<std::string> source;
    if (has_file)
        source = folder.readFile(template_file, jinja::max_template_bytes);
    else
        source = configuredTemplate(config, folder.nameOf(config_file));
    if (!source)
        return std::nullopt;
    auto impl = std::make_unique<Impl>(*source, folder.nameOf(origin), origin);
    impl->special_tokens = specialTokens(config);
    return ChatTemplate(std::move(impl));
}

ChatTemplate ChatTemplate::parse(const std::string& source, const std::string& file,
                                 const std::string& bos_token, const std::string& eos_token) {
    auto impl = std::make_unique<Impl>(source, file, file);
    if (!bos_token.empty())
        impl->special_tokens.emplace_back("bos_token", bos_token);
    if (!eos_token.empty())
        impl->special_tokens.emplace_back("eos_token", eos_token);
    return ChatTemplate(std::move(impl));
}

std::string ChatTemplate::render(const Json& messages, const Json& variables,
                                 bool add_generation_prompt) const {
    return impl_->render(messages, variables, add_generation_prompt).bytes;
}

RenderedChat ChatTemplate::renderTracked(const Json& messages, const Json& variables,
                                         bool add_generation_prompt) const {
    jinja::Text text = impl_->render(messages, variables, add_generation_prompt);
    return {std::move(text.bytes), std::move(text.content)};
}

const std::string& ChatTemplate::origin() const {
    return impl_->origin;
}

}  // namespace spd
