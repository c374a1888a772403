#include "core/pipeline/prompt_preparer.h"

#include <fmt/format.h>

#include <variant>

#include "core/generate/sampler.h"
#include "core/text/raw_text.h"

namespace spd {

using Json = nlohmann::ordered_json;

uint64_t noiseKeyOf(uint64_t seed, const PromptId& id) {
    return std::visit([&](const auto& value) { return noiseKey(seed, value); }, id);
}

PromptPreparer::PromptPreparer(const Session& session, PromptFormat format, std::string source)
    : session_(session), format_(std::move(format)), source_(std::move(source)) {
    if (!format_.chat)
        return;
    template_ = ChatTemplate::open(session.location.folder);
    if (!template_)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("--chat: {} has no chat template; --raw completes the bare prompt",
                                printable(session.location.id)));
}

PreparedPrompt PromptPreparer::prepare(const Prompt& prompt) const {
    PreparedPrompt prepared;
    if (format_.chat) {
        const Json messages =
            prompt.prompt ? Json::array({{{"role", "user"}, {"content", *prompt.prompt}}}) : prompt.messages;
        RenderedChat chat = template_->renderTracked(messages, format_.template_variables,
                                                     /*add_generation_prompt=*/true);
        // The template writes BOS itself where the model wants one.
        prepared.ids = session_.tokenizer.encodeChat(chat.text, chat.content);
        prepared.text = std::move(chat.text);
    } else {
        if (!prompt.prompt)
            throw refusal(prompt, "\"messages\" need --chat");
        prepared.text = *prompt.prompt;
        prepared.ids = encodePrompt(session_.tokenizer, prepared.text);
    }
    check(prompt, prepared);
    return prepared;
}

Error PromptPreparer::refusal(const Prompt& prompt, const std::string& rule) const {
    return Error::fileFormat(source_, fmt::format("line {}", prompt.line + 1), rule);
}

void PromptPreparer::check(const Prompt& prompt, const PreparedPrompt& prepared) const {
    const int64_t positions = session_.checkpoint.config().max_position_embeddings;
    const int64_t vocabulary = session_.checkpoint.config().vocab_size;
    if (prepared.ids.empty())
        throw refusal(prompt, "the prompt has no tokens, and a completion needs one to start from");
    if (static_cast<int64_t>(prepared.ids.size()) >= positions)
        throw refusal(
            prompt, fmt::format("the prompt has {} tokens, the model {} positions: no room for a completion",
                                prepared.ids.size(), positions));
    for (const int32_t id : prepared.ids)
        if (id >= vocabulary)
            throw refusal(
                prompt,
                fmt::format("token {} of the tokenizer has no row in the model's embedding of {} rows", id,
                            vocabulary));
}

}  // namespace spd
