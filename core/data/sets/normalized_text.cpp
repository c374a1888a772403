#include "core/data/sets/normalized_text.h"

#include "core/text/unicode/unicode_tables.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

bool isBlank(const unicode::CodePoint& point) {
    return (unicode::classesOf(point.value) & unicode::space) != 0;
}

}  // namespace

std::string_view trimBlanks(std::string_view text) {
    while (!text.empty() && isBlank(unicode::decodeValid(text.data())))
        text.remove_prefix(unicode::decodeValid(text.data()).length);
    while (!text.empty() && isBlank(unicode::decodeLast(text)))
        text.remove_suffix(unicode::decodeLast(text).length);
    return text;
}

std::string normalizeBlanks(std::string_view text) {
    std::string normal;
    bool blank = false;
    for (size_t i = 0; i < text.size();) {
        const unicode::CodePoint point = unicode::decodeValid(text.data() + i);
        if (isBlank(point)) {
            blank = !normal.empty();
        } else {
            if (blank)
                normal += ' ';
            blank = false;
            normal += text.substr(i, point.length);
        }
        i += point.length;
    }
    return normal;
}

}  // namespace spd
