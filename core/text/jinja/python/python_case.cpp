#include <utf8proc.h>

#include "core/text/jinja/python/python_text.h"
#include "core/text/jinja/python/special_casing.h"

namespace spd::jinja {
namespace {

constexpr char32_t capital_sigma = 0x3A3;

enum class Case { upper, lower, title };

bool isLowerCase(char32_t c) {
    return utf8proc_islower(static_cast<utf8proc_int32_t>(c)) != 0;
}
bool isUpperCase(char32_t c) {
    return utf8proc_isupper(static_cast<utf8proc_int32_t>(c)) != 0;
}
bool isCased(char32_t c) {
    return isLowerCase(c) || isUpperCase(c) ||
           utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LT;
}

/// Unicode's Case_Ignorable: marks, formats, modifiers and the punctuation of words.
bool isCaseIgnorable(char32_t c) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_ME:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_SK:
            return true;
        default:
            break;
    }
    constexpr char32_t signs[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,  0x5F4,  0x2018, 0x2019,
                                  0x2024, 0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
    for (const char32_t sign : signs)
        if (c == sign)
            return true;
    return false;
}

/// Where a sigma ends a word it becomes the final one. `previous_cased`: a cased character stands before it,
/// with nothing but ignorable ones between.
bool isFinalSigma(std::string_view text, size_t behind, bool previous_cased) {
    if (!previous_cased)
        return false;
    while (behind < text.size()) {
        const char32_t c = nextCodePoint(text, behind);
        if (isCaseIgnorable(c))
            continue;
        return !isCased(c);
    }
    return true;
}

void appendMapped(std::string& out, char32_t c, Case wanted) {
    const SpecialCasing* special = wanted == Case::lower ? nullptr : findSpecialCasing(c);
    if (special) {
        for (const char32_t part : wanted == Case::upper ? special->upper : special->title)
            if (part)
                appendCodePoint(out, part);
        return;
    }
    const auto code = static_cast<utf8proc_int32_t>(c);
    const auto mapped = wanted == Case::upper   ? utf8proc_toupper(code)
                        : wanted == Case::lower ? utf8proc_tolower(code)
                                                : utf8proc_totitle(code);
    appendCodePoint(out, static_cast<char32_t>(mapped));
    if (wanted == Case::lower && c == 0x130)  // the only one-to-many lower case: I with dot
        appendCodePoint(out, 0x307);
}

/// Maps characters from `position` on to lower case; stops behind the first one when `only_word` and it ends
/// a word.
class LowerMapper {
public:
    explicit LowerMapper(std::string_view text) : text_(text) {}

    /// Notes a character that another mapping took care of.
    void pass(char32_t c) { note(c); }
    void append(std::string& out, char32_t c, size_t behind) {
        if (c == capital_sigma && isFinalSigma(text_, behind, cased_before_))
            appendCodePoint(out, 0x3C2);
        else
            appendMapped(out, c, Case::lower);
        note(c);
    }

private:
    void note(char32_t c) {
        if (!isCaseIgnorable(c))
            cased_before_ = isCased(c);
    }

    std::string_view text_;
    bool cased_before_ = false;
};

}  // namespace

std::string upperText(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size();)
        appendMapped(out, nextCodePoint(text, i), Case::upper);
    return out;
}

std::string lowerText(std::string_view text) {
    std::string out;
    LowerMapper lower(text);
    for (size_t i = 0; i < text.size();) {
        const char32_t c = nextCodePoint(text, i);
        lower.append(out, c, i);
    }
    return out;
}

std::string titleText(std::string_view text) {
    std::string out;
    LowerMapper lower(text);
    bool in_word = false;
    for (size_t i = 0; i < text.size();) {
        const char32_t c = nextCodePoint(text, i);
        if (in_word) {
            lower.append(out, c, i);
        } else {
            appendMapped(out, c, Case::title);
            lower.pass(c);
        }
        in_word = isCased(c);
    }
    return out;
}

std::string capitalizeText(std::string_view text) {
    std::string out;
    LowerMapper lower(text);
    for (size_t i = 0; i < text.size();) {
        const bool first = i == 0;
        const char32_t c = nextCodePoint(text, i);
        if (first) {
            appendMapped(out, c, Case::title);
            lower.pass(c);
        } else {
            lower.append(out, c, i);
        }
    }
    return out;
}

namespace {

bool hasOnlyCase(std::string_view text, bool lower) {
    bool found = false;
    for (size_t i = 0; i < text.size();) {
        const char32_t c = nextCodePoint(text, i);
        if (isCased(c) && (lower ? !isLowerCase(c) : !isUpperCase(c)))
            return false;
        found = found || isCased(c);
    }
    return found;
}

}  // namespace

bool isLowerText(std::string_view text) {
    return hasOnlyCase(text, true);
}
bool isUpperText(std::string_view text) {
    return hasOnlyCase(text, false);
}

}  // namespace spd::jinja
