#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/prompts.h"
#include "core/pipeline/session.h"
#include "core/text/chat_template.h"

namespace spd {

/// A prompt as the model sees it.
struct PreparedPrompt {
    std::string text;
    std::vector<int32_t> ids;
};

/// Key of the noise that a prompt's completion is drawn with, of a run's seed and the prompt's id.
uint64_t noiseKeyOf(uint64_t seed, const PromptId& id);

/// How prompts become ids: as they are, or by the model's chat template.
struct PromptFormat {
    bool chat = false;
    nlohmann::ordered_json template_variables = nlohmann::ordered_json::object();  ///< with `chat`
};

/// Turns prompts into ids and holds them against what the model takes.
class PromptPreparer {
public:
    /// @param session  outlives this.   @param source  what a refusal names: the prompts file.
    /// @throws Error invalid_argument (chat without a template), as ChatTemplate::open()
    PromptPreparer(const Session& session, PromptFormat format, std::string source);

    /// @throws Error file_format, naming source and line: messages without chat, no tokens, no room for a
    /// completion, a token without a row in the embedding; as ChatTemplate::renderTracked()
    PreparedPrompt prepare(const Prompt& prompt) const;

private:
    Error refusal(const Prompt& prompt, const std::string& rule) const;
    void check(const Prompt& prompt, const PreparedPrompt& prepared) const;

    const Session& session_;
    PromptFormat format_;
    std::string source_;
    std::optional<ChatTemplate> template_;
};

}  // namespace spd
