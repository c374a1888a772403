#include "core/text/unicode/utf8.h"

#include <algorithm>
#include <cstring>

#include "core/text/unicode/source_map.h"

namespace spd::unicode {
namespace {

enum class Part { character, invalid, incomplete };

struct Step {
    Part part;
    size_t length;
};

/// The first character of `bytes` (not empty), or the maximal part that begins none (Unicode 16.0,
/// section 3.9, table 3-7): the second byte's range depends on the first, which excludes overlong forms,
/// surrogates and code points past U+10FFFF.
Step nextStep(std::string_view bytes) {
    const auto byte = [bytes](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80)
        return {Part::character, 1};
    if (first < 0xC2 || first > 0xF4)
        return {Part::invalid, 1};
    const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    const unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < length; ++i) {
        if (i == bytes.size())
            return {Part::incomplete, i};
        if (byte(i) < (i == 1 ? lowest : 0x80) || byte(i) > (i == 1 ? highest : 0xBF))
            return {Part::invalid, i};
    }
    return {Part::character, length};
}

/// Eight bytes at a time: most text is ASCII.
size_t asciiPrefix(std::string_view bytes) {
    size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        uint64_t word;
        std::memcpy(&word, bytes.data() + at, 8);
        if ((word & 0x8080808080808080u) != 0)
            break;
    }
    return at;
}

constexpr std::string_view replacement = "\xEF\xBF\xBD";

}  // namespace

CodePoint decodeLast(std::string_view text) {
    size_t at = text.size() - 1;
    while (isContinuation(text[at]))
        --at;
    return decodeValid(text.data() + at);
}

void append(std::string& text, uint32_t code_point) {
    const auto push = [&text](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    const auto pushRest = [&](int shift) { push(0x80 | ((code_point >> shift) & 0x3F)); };
    if (code_point < 0x80) {
        push(code_point);
    } else if (code_point < 0x800) {
        push(0xC0 | (code_point >> 6));
        pushRest(0);
    } else if (code_point < 0x10000) {
        push(0xE0 | (code_point >> 12));
        pushRest(6);
        pushRest(0);
    } else {
        push(0xF0 | (code_point >> 18));
        pushRest(12);
        pushRest(6);
        pushRest(0);
    }
}

size_t validPrefix(std::string_view bytes) {
    size_t at = 0;
    while (at < bytes.size()) {
        at += asciiPrefix(bytes.substr(at));
        if (at == bytes.size())
            break;
        const Step step = nextStep(bytes.substr(at));
        if (step.part != Part::character)
            return at;
        at += step.length;
    }
    return bytes.size();
}

void appendReplacingInvalid(std::string& text, std::string_view bytes, SourceMap* map) {
    size_t at = 0;
    while (at < bytes.size()) {
        const size_t valid = validPrefix(bytes.substr(at));
        text.append(bytes.substr(at, valid));
        at += valid;
        if (at == bytes.size())
            return;
        const size_t length = nextStep(bytes.substr(at)).length;
        if (map != nullptr)
            map->addChanged({text.size(), text.size() + replacement.size()}, {at, at + length});
        text.append(replacement);
        at += length;
    }
}

size_t incompleteTail(std::string_view bytes) {
    const size_t longest = std::min<size_t>(bytes.size(), 3);
    for (size_t length = longest; length > 0; --length) {
        const Step step = nextStep(bytes.substr(bytes.size() - length));
        if (step.part == Part::incomplete && step.length == length)
            return length;
    }
    return 0;
}

}  // namespace spd::unicode
