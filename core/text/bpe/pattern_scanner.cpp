#include "core/text/bpe/pattern_scanner.h"

#include "core/text/unicode/unicode_tables.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

constexpr std::string_view gpt2_regex =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2_regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view llama3_regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr unsigned content_classes = unicode::letter | unicode::number | unicode::space;

bool isNewline(char byte) {
    return byte == '\r' || byte == '\n';
}

/// A text and the questions that the patterns ask about it.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text), classes_(unicode::classTable().data()) {}

    bool atEnd(size_t at) const { return at >= text_.size(); }
    /// letter, number or space; 0 for every other character.
    unsigned kind(size_t at) const { return classes_[character(at).value] & content_classes; }
    bool is(size_t at, unsigned kinds) const { return !atEnd(at) && (kind(at) & kinds) != 0; }
    bool isOther(size_t at) const { return !atEnd(at) && kind(at) == 0; }
    bool isByte(size_t at, char byte) const { return !atEnd(at) && text_[at] == byte; }
    size_t next(size_t at) const { return at + character(at).length; }

    size_t endOfRun(size_t at, unsigned kinds) const {
        while (!atEnd(at)) {
            const unicode::CodePoint current = character(at);
            if ((classes_[current.value] & kinds) == 0)
                break;
            at += current.length;
        }
        return at;
    }
    size_t endOfOthers(size_t at) const {
        while (isOther(at))
            at = next(at);
        return at;
    }
    size_t endOfNewlines(size_t at) const {
        while (!atEnd(at) && isNewline(text_[at]))
            ++at;
        return at;
    }
    std::string_view text() const { return text_; }

private:
    unicode::CodePoint character(size_t at) const { return unicode::decodeValid(text_.data() + at); }

    std::string_view text_;
    const uint8_t* classes_;
};

/// The letter at `at` for contractions: lower case where `ignore_case`; U+017F (long s) then folds to s. 0 at
/// the end.
struct Folded {
    char letter;
    size_t end;
};
Folded foldedAt(std::string_view text, size_t at, bool ignore_case) {
    if (at >= text.size())
        return {'\0', at};
    const char byte = text[at];
    if (ignore_case && byte >= 'A' && byte <= 'Z')
        return {static_cast<char>(byte - 'A' + 'a'), at + 1};
    if (ignore_case && text.substr(at, 2) == "\xC5\xBF")
        return {'s', at + 2};
    return {byte, at + 1};
}

/// 's 't 're 've 'm 'll 'd: end of the match at `at`, or `at`.
size_t endOfContraction(std::string_view text, size_t at, bool ignore_case) {
    if (text[at] != '\'')
        return at;
    const Folded first = foldedAt(text, at + 1, ignore_case);
    switch (first.letter) {
        case 's':
        case 't':
        case 'm':
        case 'd':
            return first.end;
        case 'r':
        case 'v':
        case 'l': {
            const Folded second = foldedAt(text, first.end, ignore_case);
            const char wanted = first.letter == 'l' ? 'l' : 'e';
            return second.letter == wanted ? second.end : at;
        }
        default:
            return at;
    }
}

/// \s+(?!\S)|\s+ : all blanks at the end of the text, else all but the last, which goes with what follows; a
/// single blank goes alone.
size_t endOfBlanks(const Cursor& cursor, size_t at) {
    const size_t end = cursor.endOfRun(at, unicode::space);
    if (cursor.atEnd(end))
        return end;
    const size_t last = end - unicode::decodeLast(cursor.text().substr(at, end - at)).length;
    return last > at ? last : end;
}

size_t matchGpt2(const Cursor& cursor, size_t at) {
    if (const size_t end = endOfContraction(cursor.text(), at, false); end != at)
        return end;
    const size_t body = cursor.isByte(at, ' ') ? at + 1 : at;
    for (const unsigned kind : {unicode::letter, unicode::number})
        if (cursor.is(body, kind))
            return cursor.endOfRun(body, kind);
    if (cursor.isOther(body))
        return cursor.endOfOthers(body);
    return endOfBlanks(cursor, at);
}

/// \s*[\r\n]+ : through the last line end of the run of blanks at `at`, or `at` where the run has none.
size_t endOfLineEnds(const Cursor& cursor, size_t at) {
    size_t end = cursor.endOfRun(at, unicode::space);
    while (end > at && !isNewline(cursor.text()[end - 1]))
        --end;
    return end;
}

/// \p{N}{1,most}
size_t endOfDigits(const Cursor& cursor, size_t at, int most) {
    size_t end = at;
    for (int i = 0; i < most && cursor.is(end, unicode::number); ++i)
        end = cursor.next(end);
    return end;
}

size_t matchQwen2(const Cursor& cursor, size_t at, int digits) {
    if (const size_t end = endOfContraction(cursor.text(), at, true); end != at)
        return end;
    if (cursor.is(at, unicode::letter))
        return cursor.endOfRun(at, unicode::letter);
    if (cursor.is(at, unicode::number))
        return endOfDigits(cursor, at, digits);
    // One leading character that is no letter, digit or line end belongs to the letters behind it.
    if (!isNewline(cursor.text()[at]) && cursor.is(cursor.next(at), unicode::letter))
        return cursor.endOfRun(cursor.next(at), unicode::letter);
    const size_t body = cursor.isByte(at, ' ') ? at + 1 : at;
    if (cursor.isOther(body))
        return cursor.endOfNewlines(cursor.endOfOthers(body));
    if (const size_t end = endOfLineEnds(cursor, at); end != at)
        return end;
    return endOfBlanks(cursor, at);
}

}  // namespace

std::optional<SplitPattern> recognisePattern(std::string_view regex) {
    if (regex == gpt2_regex)
        return SplitPattern::gpt2;
    if (regex == qwen2_regex)
        return SplitPattern::qwen2;
    if (regex == llama3_regex)
        return SplitPattern::llama3;
    return std::nullopt;
}

size_t matchEnd(SplitPattern pattern, std::string_view text, size_t at) {
    const Cursor cursor(text);
    switch (pattern) {
        case SplitPattern::gpt2:
            return matchGpt2(cursor, at);
        case SplitPattern::qwen2:
            return matchQwen2(cursor, at, 1);
        case SplitPattern::llama3:
            return matchQwen2(cursor, at, 3);
    }
    return text.size();
}

}  // namespace spd
