#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/bpe/tokenizer_json.h"
#include "core/text/tokenizer.h"

namespace spd {

/// Everything of a loaded tokenizer; immutable. Stays where it was made: the model refers to the vocabulary.
struct Tokenizer::Impl {
    Impl(TokenizerParts parts, std::string hash);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// Appends what `id` decodes to: bytes that need not be whole characters.
    void appendBytes(int32_t id, bool skip_special_tokens, std::string& bytes) const;

    struct Token {
        std::string bytes;
        bool exists = false;
        bool special = false;
        bool skipped = false;  ///< left out when special tokens are skipped
    };

    Vocabulary vocabulary;
    Vocabulary added;  ///< contents of the added tokens
    BpeModel model;
    AddedTokenMatcher before_normalization;
    AddedTokenMatcher after_normalization;
    bool nfc;
    PreTokenizer pre_tokenizer;
    std::vector<int32_t> ids_before;
    std::vector<int32_t> ids_after;
    std::vector<Token> tokens;  ///< by id
    std::string sha256;

private:
    void addAddedTokens(const std::vector<AddedToken>& added_tokens);
};

}  // namespace spd
