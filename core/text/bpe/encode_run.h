#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/bpe/tokenizer_impl.h"
#include "core/text/unicode/source_map.h"

namespace spd {

/// One text on its way to ids: invalid UTF-8 replaced, added tokens cut out, normalised, cut into pieces,
/// merged.
class EncodeRun {
public:
    /// @param ranges  receives where each token came from, or nullptr. All arguments must outlive the run.
    EncodeRun(const Tokenizer::Impl& tokenizer, std::vector<int32_t>& ids, std::vector<TokenRange>* ranges)
        : tokenizer_(&tokenizer), ids_(&ids), ranges_(ranges) {}

    /// Appends the ids of `text`, without those of the post-processor. Called once.
    /// @param content  bytes of `text`, ascending and disjoint, in which special tokens are plain text.
    void encode(std::string_view text, std::span<const TextRange> content = {});

private:
    /// A text that was made from another one.
    struct Rewritten {
        std::string text;
        SourceMap map;
        bool differs = false;
    };

    void encodeValid(std::string_view text);
    void encodeUnnormalized(std::string_view text, TextRange range);
    void encodeNormalized(std::string_view text);
    void encodePieces(std::string_view text, TextRange range);
    std::vector<AddedTokenMatcher::Match> findAdded(const AddedTokenMatcher& matcher,
                                                    std::string_view text) const;
    void take(int32_t id, std::string_view text, TextRange range);
    bool needsSources() const { return ranges_ != nullptr || !content_.empty(); }
    TextRange sourceOf(std::string_view text, TextRange range) const;

    const Tokenizer::Impl* tokenizer_;
    std::vector<int32_t>* ids_;
    std::vector<TokenRange>* ranges_;
    std::span<const TextRange> content_;
    BpeModel::Workspace workspace_;
    Rewritten replaced_;     ///< the whole text, invalid bytes replaced
    size_t part_begin_ = 0;  ///< of the part that is being normalised, in the replaced text
    Rewritten normalized_;   ///< that part
};

}  // namespace spd
