#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/text/text_range.h"

namespace spd {

/// A rendered conversation and where its words came from.
struct RenderedChat {
    std::string text;
    /// The bytes that came out of the messages and variables rather than out of the template, ascending and
    /// disjoint. An encoder that recognises no added token inside them keeps "<|im_end|>" in a user's message
    /// from ending the turn.
    std::vector<TextRange> content;
};

/// A checkpoint's chat template: a subset of Jinja that renders the templates of Qwen2.5, Qwen3,
/// Llama 3.1/3.2 and SmolLM2 byte for byte as transformers' apply_chat_template does (5.x: keys whose value
/// is null are dropped from messages, a message's reasoning is known as reasoning_content and thinking,
/// "tools" and "documents" are none unless given). Parsed once, immutable, thread-safe. Tags, filters, tests,
/// methods and globals outside the subset are refused by name. Limits: 1 MiB of template, parse depth 128,
/// call depth 64, 400 nested evaluations, 1,000,000 steps (a node visit is one; long texts and lists cost by
/// size), 8 MiB for the output and every string on the way.
///
/// No double BOS: a template writes BOS itself where the model wants it. Encode what render() returns with
/// Tokenizer::SpecialTokens::none, always, as apply_chat_template does; a raw prompt is encoded with ::add.
///
/// Pinned date: the clock is never read. Templates that take a date use the variable "date_string" or call
/// strftime_now(); that formats the variable "current_date" ("YYYY-MM-DD" or "YYYY-MM-DDTHH:MM:SS"; the
/// template does not see it), which defaults to 2024-07-26, the date that Llama's templates fall back to.
/// transformers uses today: to repeat a record of it, pass the day in "current_date".
class ChatTemplate {
public:
    /// Template of `folder`: chat_template.jinja, else tokenizer_config.json's chat_template (a string, or a
    /// named list whose "default" is taken). The special tokens (bos_token, eos_token, ...) that
    /// tokenizer_config.json names are variables of the template.
    /// @return nullopt when the folder has none.
    /// @throws Error file_format (unknown constructs by name), not_found (no such folder), io
    static std::optional<ChatTemplate> open(const std::filesystem::path& folder);
    /// From text; `file` is the name used in messages. An empty token is one that the model lacks: undefined.
    static ChatTemplate parse(const std::string& source, const std::string& file,
                              const std::string& bos_token = "", const std::string& eos_token = "");

    ChatTemplate(ChatTemplate&&) noexcept;
    ChatTemplate& operator=(ChatTemplate&&) noexcept;
    ~ChatTemplate();

    /// @param messages  array of {"role", "content", ...}, as transformers takes it; at least one.
    /// @param variables  extra template variables (object or null): "enable_thinking", "tools",
    /// "date_string", ...
    /// @param add_generation_prompt  end with the opening of the assistant's turn.
    /// @throws Error file_format "FILE: line N: RULE": the template raised an exception (its text is in the
    /// message, plain), broke a limit, or used an unknown name; invalid_argument: messages or variables of
    /// the wrong type.
    std::string render(const nlohmann::ordered_json& messages, const nlohmann::ordered_json& variables,
                       bool add_generation_prompt) const;
    /// The same text, and which of its bytes are content. Special tokens (variables named *_token) are not
    /// content.
    RenderedChat renderTracked(const nlohmann::ordered_json& messages,
                               const nlohmann::ordered_json& variables, bool add_generation_prompt) const;

    /// "chat_template.jinja" or "tokenizer_config.json": where it was read; the name given to parse().
    const std::string& origin() const;

private:
    struct Impl;
    explicit ChatTemplate(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace spd
