#include "core/text/bpe/pre_tokenizer.h"

#include "core/text/unicode/unicode_tables.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

bool isNumeric(uint32_t code_point) {
    return (unicode::classesOf(code_point) & unicode::numeric) != 0;
}

/// One numeric character alone (or a run of them), else everything up to the next one.
size_t digitsEnd(std::string_view text, size_t at, bool alone) {
    const unicode::CodePoint first = unicode::decodeValid(text.data() + at);
    const bool numeric = isNumeric(first.value);
    at += first.length;
    if (numeric && alone)
        return at;
    while (at < text.size()) {
        const unicode::CodePoint current = unicode::decodeValid(text.data() + at);
        if (isNumeric(current.value) != numeric)
            break;
        at += current.length;
    }
    return at;
}

const char* nameOf(PreTokenizer::Kind step) {
    switch (step) {
        case PreTokenizer::Kind::digits_alone:
        case PreTokenizer::Kind::digits_together:
            return "Digits";
        case PreTokenizer::Kind::gpt2:
            return "GPT-2";
        case PreTokenizer::Kind::qwen2:
            return "Qwen2";
        case PreTokenizer::Kind::llama3:
            return "Llama 3";
    }
    return "";
}

}  // namespace

size_t PreTokenizer::pieceEnd(Kind step, std::string_view text, size_t at) {
    switch (step) {
        case Kind::digits_alone:
        case Kind::digits_together:
            return digitsEnd(text, at, step == Kind::digits_alone);
        case Kind::gpt2:
            return matchEnd(SplitPattern::gpt2, text, at);
        case Kind::qwen2:
            return matchEnd(SplitPattern::qwen2, text, at);
        case Kind::llama3:
            return matchEnd(SplitPattern::llama3, text, at);
    }
    return text.size();
}

std::string PreTokenizer::description() const {
    if (steps_.empty())
        return "no pre-tokenizer";
    std::string names;
    for (const Kind step : steps_)
        names += (names.empty() ? "" : " + ") + std::string(nameOf(step));
    return names + " pre-tokenizer";
}

}  // namespace spd
