#include "core/data/curation/corpus_formats.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/data/json_lines.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<CorpusFormat, std::string_view>, 5> kFormats = {
    {{CorpusFormat::prompt_completion, "prompt-completion"},
     {CorpusFormat::messages, "messages"},
     {CorpusFormat::alpaca, "alpaca"},
     {CorpusFormat::sharegpt, "sharegpt"},
     {CorpusFormat::corpus, "corpus"}}};

Json message(std::string_view role, const std::string& content) {
    return {{"role", role}, {"content", content}};
}

/// The conversation with its answer.
Json conversation(const std::string& prompt, const std::string& completion, const Json* messages) {
    Json all = messages != nullptr ? *messages : Json::array({message("user", prompt)});
    all.push_back(message("assistant", completion));
    return all;
}

/// The text of a message; formats besides `messages` have no place for anything else.
const std::string& contentOf(const Json& turn) {
    const auto content = turn.find("content");
    if (content == turn.end() || !content->is_string())
        throw rowError("a message whose \"content\" is no text");
    return content->get_ref<const std::string&>();
}

Json toShareGpt(const Json& turns) {
    Json lines = Json::array();
    for (const Json& turn : turns) {
        const std::string& role = turn.at("role").get_ref<const std::string&>();
        if (role != "system" && role != "user" && role != "assistant")
            throw rowError("a message of the role \"" + role + "\"");
        lines.push_back({{"from", role == "user"        ? "human"
                                  : role == "assistant" ? "gpt"
                                                        : "system"},
                         {"value", contentOf(turn)}});
    }
    return {{"conversations", lines}};
}

/// Pairs of question and answer, the last one the instruction and its output; a system message may come
/// first.
Json toAlpaca(const Json& turns) {
    const size_t first = turns[0].at("role") == "system" ? 1 : 0;
    if (turns.size() < first + 2 || (turns.size() - first) % 2 != 0)
        throw rowError("a conversation whose turns do not alternate");
    Json history = Json::array();
    Json row = Json::object();
    for (size_t i = first; i < turns.size(); i += 2) {
        if (turns[i].at("role") != "user" || turns[i + 1].at("role") != "assistant")
            throw rowError("a conversation whose turns do not alternate");
        if (i + 2 < turns.size())
            history.push_back({contentOf(turns[i]), contentOf(turns[i + 1])});
        else
            row = {{"instruction", contentOf(turns[i])}, {"input", ""}, {"output", contentOf(turns[i + 1])}};
    }
    if (first == 1)
        row["system"] = contentOf(turns[0]);
    if (!history.empty())
        row["history"] = history;
    return row;
}

}  // namespace

CorpusFormat parseCorpusFormat(const std::string& text) {
    for (const auto& [format, word] : kFormats)
        if (word == text)
            return format;
    throw Error(ErrorKind::invalid_argument,
                "no format is called " + printable(text, 80) +
                    ": there are prompt-completion, messages, alpaca, sharegpt and corpus");
}

std::string_view name(CorpusFormat format) {
    return kFormats[static_cast<size_t>(format)].second;
}

Json formatRecord(CorpusFormat format, const std::string& prompt, const std::string& completion,
                  const Json* messages) {
    switch (format) {
        case CorpusFormat::prompt_completion:
            return {{"prompt", prompt}, {"completion", completion}};
        case CorpusFormat::messages:
            return {{"messages", conversation(prompt, completion, messages)}};
        case CorpusFormat::alpaca:
            return toAlpaca(conversation(prompt, completion, messages));
        case CorpusFormat::sharegpt:
            return toShareGpt(conversation(prompt, completion, messages));
        case CorpusFormat::corpus:
            break;
    }
    throw Error(ErrorKind::internal, "a corpus is no other program's format");
}

}  // namespace spd
