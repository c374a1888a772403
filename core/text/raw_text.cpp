#include "core/text/raw_text.h"

namespace spd {
namespace {

bool beginsTwice(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
    return ids.size() >= 2 && ids[0] == ids[1] && tokenizer.isSpecial(ids[0]);
}

}  // namespace

std::vector<int32_t> encodePrompt(const Tokenizer& tokenizer, std::string_view text) {
    std::vector<int32_t> ids = tokenizer.encode(text, Tokenizer::SpecialTokens::add);
    return beginsTwice(tokenizer, ids) ? tokenizer.encode(text, Tokenizer::SpecialTokens::none) : ids;
}

Encoding encodeWholeText(const Tokenizer& tokenizer, std::string_view text) {
    Encoding encoding = tokenizer.encodeWithRanges(text, Tokenizer::SpecialTokens::add);
    if (beginsTwice(tokenizer, encoding.ids))
        encoding = tokenizer.encodeWithRanges(text, Tokenizer::SpecialTokens::none);
    const auto end = static_cast<int64_t>(text.size());
    while (!text.empty() && !encoding.ranges.empty() && encoding.ranges.back().begin == end) {
        encoding.ids.pop_back();
        encoding.ranges.pop_back();
    }
    return encoding;
}

}  // namespace spd
