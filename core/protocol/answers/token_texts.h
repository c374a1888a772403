#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/protocol/answers/json_parts.h"

namespace spd::protocol {

/// Ids with what each adds to the text, as several answers hold them.
struct TokenTexts {
    std::vector<int32_t> ids;
    std::vector<std::string> texts;  ///< [ids]
    std::vector<int64_t> special;    ///< positions of special tokens, ascending

    /// Members "ids", "texts", "special". @throws Refusal invalid_params
    static TokenTexts fromJson(const nlohmann::ordered_json& json);
};

/// What text.tokenize answers.
struct TokenizedText {
    TokenTexts tokens;
    std::vector<CharRange> ranges;  ///< [ids]: characters of the text
    std::string tokenizer;

    /// @throws Refusal invalid_params
    static TokenizedText fromJson(const nlohmann::ordered_json& json);
};

/// What text.render answers.
struct RenderedMessages {
    std::string text;
    std::vector<CharRange> content;  ///< what came from messages
    TokenTexts tokens;
    std::string origin;  ///< the file that the template comes from

    /// @throws Refusal invalid_params
    static RenderedMessages fromJson(const nlohmann::ordered_json& json);
};

}  // namespace spd::protocol
