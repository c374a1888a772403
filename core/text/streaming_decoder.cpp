#include "core/text/bpe/tokenizer_impl.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode/utf8.h"

namespace spd {

StreamingDecoder::StreamingDecoder(const Tokenizer& tokenizer, bool skip_special_tokens)
    : tokenizer_(&tokenizer), skip_special_tokens_(skip_special_tokens) {}

std::string StreamingDecoder::add(int32_t id) {
    tokenizer_->impl_->appendBytes(id, skip_special_tokens_, pending_);
    const size_t final_bytes = pending_.size() - unicode::incompleteTail(pending_);
    std::string text;
    unicode::appendReplacingInvalid(text, std::string_view(pending_).substr(0, final_bytes), nullptr);
    pending_.erase(0, final_bytes);
    return text;
}

std::string StreamingDecoder::finish() {
    std::string text;
    unicode::appendReplacingInvalid(text, pending_, nullptr);
    pending_.clear();
    return text;
}

}  // namespace spd
