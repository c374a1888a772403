#include "core/text/jinja/python/python_text.h"

#include <fmt/format.h>
#include <string.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace spd::jinja {

char32_t nextCodePoint(std::string_view text, size_t& position) {
    const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
    const char32_t first = byte(position++);
    if (first < 0x80)
        return first;
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    char32_t code_point = first & (0x3Fu >> more);
    for (; more > 0 && position < text.size(); --more)
        code_point = (code_point << 6) | (byte(position++) & 0x3F);
    return code_point;
}

void appendCodePoint(std::string& out, char32_t code_point) {
    utf8proc_uint8_t buffer[4];
    const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), buffer);
    out.append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(size));
}

bool isValidUtf8(std::string_view text) {
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    for (size_t i = 0; i < text.size();) {
        if (bytes[i] < 0x80) {
            ++i;
            continue;
        }
        utf8proc_int32_t code_point;
        const auto size =
            utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &code_point);
        if (size <= 0)
            return false;
        i += static_cast<size_t>(size);
    }
    return true;
}

bool isPythonSpace(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

size_t countCodePoints(std::string_view text) {
    size_t count = 0;
    for (const char byte : text)
        count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    return count;
}

size_t byteOffset(std::string_view text, size_t index) {
    size_t position = 0;
    for (; index > 0 && position < text.size(); --index)
        nextCodePoint(text, position);
    return position;
}

size_t findText(std::string_view text, std::string_view needle, size_t from) {
    if (from > text.size())
        return std::string_view::npos;
    // std::string::find is quadratic for needles such as aaa...b; memmem is linear. It is given growing
    // windows, so that finding the next of many hits costs what lies between them even where memmem is
    // checked (sanitizers).
    for (size_t window = std::max<size_t>(4096, needle.size());; window *= 2) {
        const size_t size = std::min(window + needle.size(), text.size() - from);
        const void* hit = memmem(text.data() + from, size, needle.data(), needle.size());
        if (hit)
            return static_cast<size_t>(static_cast<const char*>(hit) - text.data());
        if (size == text.size() - from)
            return std::string_view::npos;
        from += window;  // a hit that starts before would have ended within the window
    }
}

std::pair<size_t, size_t> stripRange(std::string_view text, const std::string_view* characters,
                                     StripSides sides) {
    std::u32string set;
    for (size_t i = 0; characters && i < characters->size();)
        set += nextCodePoint(*characters, i);
    std::sort(set.begin(), set.end());
    const auto goes = [&](size_t begin) {
        const char32_t c = nextCodePoint(text, begin);
        return characters ? std::binary_search(set.begin(), set.end(), c) : isPythonSpace(c);
    };
    size_t begin = 0;
    size_t end = text.size();
    while (sides.left && begin < end) {
        size_t next = begin;
        nextCodePoint(text, next);
        if (!goes(begin))
            break;
        begin = next;
    }
    while (sides.right && end > begin) {
        size_t previous = end - 1;
        while ((static_cast<unsigned char>(text[previous]) & 0xC0) == 0x80)
            --previous;
        if (!goes(previous))
            break;
        end = previous;
    }
    return {begin, end};
}

std::string reprDouble(double number) {
    if (std::isnan(number))
        return "nan";
    if (std::isinf(number))
        return number > 0 ? "inf" : "-inf";
    // Python: shortest digits that read back, an exponent below 1e-4 and from 1e16 on.
    char buffer[32];
    const auto written = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
    const std::string digits(buffer, written.ptr);
    const size_t e = digits.find('e');
    const int exponent = std::stoi(digits.substr(e + 1));
    if (number != 0 && (exponent < -4 || exponent >= 16))
        return digits.substr(0, e) + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
    const auto significant =
        static_cast<int>(e) - (digits[0] == '-') - (digits.find('.') != std::string::npos);
    return fmt::format("{:.{}f}", number, std::max(significant - 1 - exponent, 1));
}

namespace {

/// Python's str.isprintable of one character.
bool isPrintable(char32_t code_point) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CO:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
            return false;
        case UTF8PROC_CATEGORY_ZS:
            return code_point == ' ';
        default:
            return true;
    }
}

std::string escapeCharacter(char32_t c) {
    switch (c) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        case '\\':
            return "\\\\";
        default:
            break;
    }
    const auto number = static_cast<uint32_t>(c);
    if (number < 0x100)
        return fmt::format("\\x{:02x}", number);
    return number < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

}  // namespace

std::string reprText(std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string out(1, quote);
    for (size_t i = 0; i < text.size();) {
        const char32_t c = nextCodePoint(text, i);
        if (c == static_cast<char32_t>(quote))
            out += {'\\', quote};
        else if (c == '\\' || !isPrintable(c))
            out += escapeCharacter(c);
        else
            appendCodePoint(out, c);
    }
    return out + quote;
}

}  // namespace spd::jinja
