#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/bpe/added_tokens.h"
#include "core/text/bpe/bpe_model.h"
#include "core/text/bpe/json_node.h"
#include "core/text/bpe/pre_tokenizer.h"
#include "core/text/bpe/vocabulary.h"

namespace spd {

/// What a tokenizer.json says, checked: every id below 2^21 and used once, every merge of known parts and
/// with a known product.
struct TokenizerParts {
    Vocabulary vocabulary;
    std::vector<Merge> merges;
    UnknownBytes unknown;
    bool ignore_merges = false;
    std::vector<AddedToken> added_tokens;
    bool nfc = false;
    PreTokenizer pre_tokenizer;
    std::vector<int32_t> ids_before;  ///< what the post-processor adds
    std::vector<int32_t> ids_after;
};

/// Reads tokenizer.json as the `tokenizers` library does. `truncation` and `padding` are not read:
/// transformers sets both anew for each call.
/// @param json  at most 64 MiB, nested at most 64 deep.
/// @param file  name used in messages.
/// @throws Error file_format, unsupported_model
TokenizerParts readTokenizerJson(std::string_view json, const std::string& file);

/// The parts of it, one a file. Each takes the node of its section.
void readModel(const JsonNode& model, TokenizerParts& parts);
void readAddedTokens(const JsonNode& root, TokenizerParts& parts);
void readNormalizer(const JsonNode& root, TokenizerParts& parts);
void readPreTokenizer(const JsonNode& root, TokenizerParts& parts);
void readPostProcessor(const JsonNode& root, TokenizerParts& parts);
void checkDecoder(const JsonNode& root);

}  // namespace spd
