// text.tokenize, text.render.

#include <fmt/format.h>

#include "app/cli/engine/engine_messages.h"
#include "core/base/error.h"
#include "core/protocol/params.h"
#include "core/text/token_texts.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

/// Ids, pieces and ranges of a longer text would not fit into an answer.
constexpr size_t kMostText = size_t{1} << 20;

ordered_json pair(const TextRange& range) {
    return {range.begin, range.end};
}

ordered_json specialOf(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
    ordered_json positions = ordered_json::array();
    for (size_t t = 0; t < ids.size(); ++t)
        if (tokenizer.isSpecial(ids[t]))
            positions.push_back(t);
    return positions;
}

ordered_json tokenize(Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::string model = params.text("model");
    const std::string text = params.text("text");
    const bool special = params.flag("special_tokens", true);
    params.refuseOthers();
    if (text.size() > kMostText)
        throw Refusal(Code::invalid_params, "text: longer than 1 MiB");
    const Tokenizer& tokenizer = workplace.text(model).tokenizer;
    const Encoding encoding = tokenizer.encodeWithRanges(
        text, special ? Tokenizer::SpecialTokens::add : Tokenizer::SpecialTokens::none);
    const CharacterOffsets characters(text);
    ordered_json ranges = ordered_json::array();
    for (const TokenRange& range : encoding.ranges)
        ranges.push_back(
            pair(characters.of(static_cast<size_t>(range.begin), static_cast<size_t>(range.end))));
    return {{"ids", encoding.ids},
            {"texts", tokenTexts(tokenizer, encoding.ids)},
            {"ranges", ranges},
            {"special", specialOf(tokenizer, encoding.ids)},
            {"tokenizer", tokenizer.description()}};
}

ordered_json render(Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::string model = params.text("model");
    const ordered_json messages = json.value("messages", ordered_json());
    params.has("messages");
    const ordered_json variables = params.object("variables");
    const bool opening = params.flag("add_generation_prompt", true);
    params.refuseOthers();
    if (!messages.is_array() || messages.empty())
        throw Refusal(Code::invalid_params, "messages: must be a list of {\"role\", \"content\"}");
    const ModelText& side = workplace.text(model);
    if (!side.chat)
        throw Error(ErrorKind::not_found,
                    fmt::format("{} has no chat template", printable(side.location.id, 1000)));
    const RenderedChat chat = side.chat->renderTracked(messages, variables, opening);
    const std::vector<int32_t> ids = side.tokenizer.encodeChat(chat.text, chat.content);
    const CharacterOffsets characters(chat.text);
    ordered_json content = ordered_json::array();
    for (const TextRange& range : chat.content)
        content.push_back(pair(characters.of(range.begin, range.end)));
    return {{"text", chat.text},
            {"content", content},
            {"ids", ids},
            {"texts", tokenTexts(side.tokenizer, ids)},
            {"special", specialOf(side.tokenizer, ids)},
            {"template", side.chat->origin()}};
}

}  // namespace

void addTextMessages(engine::Server& server, Workplace& workplace) {
    server.addQuery("text.tokenize",
                    [&workplace](const ordered_json& params) { return tokenize(workplace, params); });
    server.addQuery("text.render",
                    [&workplace](const ordered_json& params) { return render(workplace, params); });
}

}  // namespace spd::cli
