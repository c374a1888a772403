#include "core/protocol/answers/token_texts.h"

#include "core/protocol/message.h"
#include "core/protocol/params.h"

namespace spd::protocol {

using nlohmann::ordered_json;

TokenTexts TokenTexts::fromJson(const ordered_json& json) {
    Params params(json);
    TokenTexts tokens{.ids = {}, .texts = params.texts("texts"), .special = integersAt(json, "special")};
    for (const int64_t id : integersAt(json, "ids"))
        tokens.ids.push_back(static_cast<int32_t>(id));
    if (tokens.ids.size() != tokens.texts.size())
        throw Refusal(Code::invalid_params, "texts: must be as many as ids");
    return tokens;
}

TokenizedText TokenizedText::fromJson(const ordered_json& json) {
    Params params(json);
    TokenizedText text{.tokens = TokenTexts::fromJson(json),
                       .ranges = rangesAt(json, "ranges"),
                       .tokenizer = params.text("tokenizer", "")};
    if (text.ranges.size() != text.tokens.ids.size())
        throw Refusal(Code::invalid_params, "ranges: must be as many as ids");
    return text;
}

RenderedMessages RenderedMessages::fromJson(const ordered_json& json) {
    Params params(json);
    return {.text = params.text("text"),
            .content = rangesAt(json, "content"),
            .tokens = TokenTexts::fromJson(json),
            .origin = params.text("template", "")};
}

}  // namespace spd::protocol
