#include "core/text/token_texts.h"

#include <algorithm>

#include "core/text/unicode/utf8.h"

namespace spd {

std::vector<std::string> tokenTexts(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
    StreamingDecoder decoder(tokenizer, /*skip_special_tokens=*/false);
    std::vector<std::string> texts;
    texts.reserve(ids.size());
    for (const int32_t id : ids)
        texts.push_back(decoder.add(id));
    if (!texts.empty())
        texts.back() += decoder.finish();
    return texts;
}

CharacterOffsets::CharacterOffsets(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i)
        if (!unicode::isContinuation(text[i]))
            begins_.push_back(i);
    begins_.push_back(text.size());
}

TextRange CharacterOffsets::of(size_t begin, size_t end) const {
    const auto holding = std::upper_bound(begins_.begin(), begins_.end(), begin);
    const auto from = static_cast<size_t>(holding - begins_.begin()) - 1;
    if (begin >= end)
        return {from, from};
    const auto behind = std::lower_bound(begins_.begin(), begins_.end(), end);
    return {from, static_cast<size_t>(behind - begins_.begin())};
}

}  // namespace spd
