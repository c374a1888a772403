#include "core/text/bpe/tokenizer_impl.h"

#include <algorithm>
#include <set>

#include "core/text/bpe/byte_alphabet.h"

namespace spd {
namespace {

Vocabulary contentsOf(const std::vector<AddedToken>& added_tokens) {
    std::vector<Vocabulary::Entry> entries;
    for (const AddedToken& token : added_tokens)
        entries.push_back({token.content, token.id});
    return Vocabulary(std::move(entries));
}

/// As the ByteLevel decoder: a token with a character outside the alphabet stands for its own UTF-8.
std::string decodedBytes(const std::string& token) {
    return fromByteCharacters(token).value_or(token);
}

}  // namespace

Tokenizer::Impl::Impl(TokenizerParts parts, std::string hash)
    : vocabulary(std::move(parts.vocabulary)),
      added(contentsOf(parts.added_tokens)),
      model(vocabulary, parts.merges, parts.unknown, parts.ignore_merges),
      nfc(parts.nfc),
      pre_tokenizer(std::move(parts.pre_tokenizer)),
      ids_before(std::move(parts.ids_before)),
      ids_after(std::move(parts.ids_after)),
      sha256(std::move(hash)) {
    tokens.resize(static_cast<size_t>(std::max(vocabulary.largestId(), added.largestId()) + 1));
    for (const Vocabulary::Entry& entry : vocabulary.entries()) {
        Token& token = tokens[static_cast<size_t>(entry.id)];
        token.bytes = decodedBytes(entry.token);
        token.exists = true;
    }
    addAddedTokens(parts.added_tokens);
}

void Tokenizer::Impl::addAddedTokens(const std::vector<AddedToken>& added_tokens) {
    std::set<std::string, std::less<>> special_contents;
    for (const AddedToken& token : added_tokens)
        if (token.special)
            special_contents.insert(token.content);
    for (const AddedToken& token : added_tokens) {
        (token.normalized ? after_normalization : before_normalization).add(token);
        Token& entry = tokens[static_cast<size_t>(token.id)];
        entry.bytes = decodedBytes(token.form);
        entry.exists = true;
        entry.special = token.special;
        // The reference asks whether the decoded form, not the id, belongs to a special token.
        entry.skipped = special_contents.contains(token.form);
    }
}

void Tokenizer::Impl::appendBytes(int32_t id, bool skip_special_tokens, std::string& bytes) const {
    if (id < 0 || static_cast<size_t>(id) >= tokens.size())
        return;
    const Token& token = tokens[static_cast<size_t>(id)];
    if (!(skip_special_tokens && token.skipped))
        bytes += token.bytes;
}

}  // namespace spd
