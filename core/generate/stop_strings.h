#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace spd {

/// Finds the first stop string in a text that arrives in pieces. First is the occurrence that ends first, the
/// longest of those: the result does not depend on where the pieces were cut. Each piece is searched once,
/// together with the end of what came before it.
class StopStringScanner {
public:
    /// @throws Error invalid_argument: an empty stop string
    explicit StopStringScanner(std::vector<std::string> stops);

    /// Appends a piece. Once a stop string was found, further pieces are ignored.
    /// @return whether a stop string was found, in this piece or before.
    bool add(std::string_view piece);
    /// The text so far; once a stop string was found, the text before it.
    const std::string& text() const { return text_; }

private:
    std::vector<std::string> stops_;
    std::string text_;
    bool stopped_ = false;
};

/// The stop strings of one completion. Text is what Tokenizer::decode(ids, skip_special_tokens = true) gives,
/// so a stop string may span tokens, begin inside one and end inside another. A stop string that is the whole
/// text of a special token stops at that token, which has no text of its own.
///
/// The completion's text is cut before the stop string (as lm-eval and vLLM do; transformers keeps it); its
/// ids keep all tokens up to and including the one that completed the stop string.
class StopStringMatcher {
public:
    /// @param tokenizer  must outlive this object.   @throws Error invalid_argument: an empty stop string
    StopStringMatcher(const std::vector<std::string>& stops, const Tokenizer& tokenizer);

    /// @return whether the completion ends with this token.
    bool add(int32_t id);
    /// The completion's text before the stop string; defined once add() returned true.
    const std::string& text() const { return scanner_.text(); }

private:
    StopStringScanner scanner_;
    StreamingDecoder decoder_;
    std::vector<int32_t> stop_ids_;  // special tokens whose text is a stop string
};

}  // namespace spd
