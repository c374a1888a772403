#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/text_range.h"

namespace spd {

/// Where a token came from: bytes [begin, end) of the text that was encoded.
struct TokenRange {
    int64_t begin = 0;
    int64_t end = 0;
};

struct Encoding {
    std::vector<int32_t> ids;
    std::vector<TokenRange> ranges;  ///< one per id; empty range for tokens that the post-processor adds
};

/// Byte-level BPE from a tokenizer.json, equal to the `tokenizers` library for the three families'
/// pre-tokenizers (Qwen2/2.5/3, Llama 3, SmolLM2 / GPT-2). Immutable after loading; thread-safe.
class Tokenizer {
public:
    enum class SpecialTokens {
        add,   ///< what the post-processor adds (BOS), as tokenizers' encode(add_special_tokens=True)
        none,  ///< add_special_tokens=False
    };

    /// Reads `folder`/tokenizer.json. @throws Error not_found, file_format, unsupported_model (an unknown
    /// normalizer, pre-tokenizer, pattern, decoder or post-processor, by name)
    static Tokenizer open(const std::filesystem::path& folder);
    /// The same from text; `file` is the name used in messages.
    static Tokenizer parse(const std::string& json, const std::string& file);

    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;
    ~Tokenizer();

    /// Encodes UTF-8; invalid bytes count as U+FFFD each as Python's decode(errors="replace") does it.
    /// Added tokens inside `text` become their ids, as the reference does.
    std::vector<int32_t> encode(std::string_view text, SpecialTokens special = SpecialTokens::add) const;
    /// A rendered conversation: special tokens count only outside `content`, so that "<|im_end|>" in a user's
    /// message does not end the turn (transformers would let it). Nothing is added.
    /// @param content  bytes of `text` that came from messages, ascending and disjoint (RenderedChat).
    std::vector<int32_t> encodeChat(std::string_view text, std::span<const TextRange> content) const;
    Encoding encodeWithRanges(std::string_view text, SpecialTokens special = SpecialTokens::add) const;

    /// Ids to UTF-8. Bytes that are no UTF-8 become U+FFFD, as the reference does. Ids out of range are
    /// skipped.
    std::string decode(const std::vector<int32_t>& ids, bool skip_special_tokens) const;

    /// One more than the largest id that has a token; rows of the embedding past it have no text.
    int32_t size() const;
    /// False for holes in the id range: ids that have no token.
    bool hasToken(int32_t id) const;
    bool isSpecial(int32_t id) const;
    /// The id of a whole token's text (added token or vocabulary entry), or -1.
    int32_t idOf(std::string_view token) const;
    /// Human words: "byte-level BPE (Qwen2 pre-tokenizer, NFC, 151665 tokens)".
    std::string description() const;
    /// SHA-256 of tokenizer.json, lower-case hex.
    const std::string& sha256() const;

private:
    struct Impl;
    explicit Tokenizer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
    friend class StreamingDecoder;
    friend class EncodeRun;
};

/// Decodes a growing sequence of ids; never emits half a character.
class StreamingDecoder {
public:
    /// `tokenizer` must outlive this object.
    StreamingDecoder(const Tokenizer& tokenizer, bool skip_special_tokens);
    /// The text that became final with this id (may be empty).
    std::string add(int32_t id);
    /// What is still held back, incomplete bytes as U+FFFD. All pieces joined equal decode() of all ids.
    std::string finish();

private:
    const Tokenizer* tokenizer_;
    bool skip_special_tokens_;
    std::string pending_;
};

}  // namespace spd
