#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace spd {

/// A checkpoint's chat template: a subset of Jinja that renders the templates of Qwen2.5, Qwen3, Llama 3.1/3.2 and
/// SmolLM2 byte for byte as transformers' apply_chat_template does. Parsed once, immutable, thread-safe.
/// Limits: 1 MiB of template, parse depth 128, call depth 64, 1,000,000 node visits, 8 MiB of output.
class ChatTemplate {
public:
    /// Template of `folder`: chat_template.jinja, else tokenizer_config.json's chat_template (a string, or a named
    /// list whose "default" is taken); bos_token and eos_token come from tokenizer_config.json.
    /// @return nullopt when the folder has none.   @throws Error file_format (unknown constructs by name)
    static std::optional<ChatTemplate> open(const std::filesystem::path& folder);
    /// From text; `file` is the name used in messages.
    static ChatTemplate parse(const std::string& source, const std::string& file, const std::string& bos_token = "",
                              const std::string& eos_token = "");

    ChatTemplate(ChatTemplate&&) noexcept;
    ChatTemplate& operator=(ChatTemplate&&) noexcept;
    ~ChatTemplate();

    /// @param messages  array of {"role", "content", ...}, as transformers takes it.
    /// @param variables  extra template variables (object): "enable_thinking", "tools", "date_string", ...
    /// @param add_generation_prompt  end with the opening of the assistant's turn.
    /// @throws Error file_format: the template raised an exception, ran out of fuel, or used an unknown name.
    std::string render(const nlohmann::ordered_json& messages, const nlohmann::ordered_json& variables,
                       bool add_generation_prompt) const;

    /// "chat_template.jinja" or "tokenizer_config.json": where it was read.
    const std::string& origin() const;

private:
    struct Impl;
    explicit ChatTemplate(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace spd
