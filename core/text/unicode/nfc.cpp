#include "core/text/unicode/nfc.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/text/unicode/unicode_tables.h"
#include "core/text/unicode/utf8.h"

namespace spd::unicode {
namespace {

/// Every character below U+0300 is a stable beginning; its first byte is below this one.
constexpr unsigned char first_checked_lead = 0xCC;

bool isChecked(uint32_t code_point) {
    return (classesOf(code_point) & checked_by_nfc) != 0;
}

/// Position of the next character at or after `at` that NFC has to look at.
size_t nextChecked(std::string_view text, size_t at) {
    while (at < text.size()) {
        if (static_cast<unsigned char>(text[at]) < first_checked_lead) {
            ++at;
            continue;
        }
        const CodePoint character = decodeValid(text.data() + at);
        if (isChecked(character.value))
            return at;
        at += character.length;
    }
    return text.size();
}

/// The stable character before `checked`, with which the run may compose; `checked` itself where there is
/// none or where it is younger than the normalizer's tables.
size_t segmentBegin(std::string_view text, size_t copied, size_t checked) {
    if (checked == copied)
        return checked;
    const CodePoint before = decodeLast(text.substr(copied, checked - copied));
    return (classesOf(before.value) & known_to_nfc) != 0 ? checked - before.length : checked;
}

size_t runEnd(std::string_view text, size_t at) {
    while (at < text.size()) {
        const CodePoint character = decodeValid(text.data() + at);
        if (!isChecked(character.value))
            break;
        at += character.length;
    }
    return at;
}

utf8proc_propval_t combiningClass(utf8proc_int32_t code_point) {
    return utf8proc_get_property(code_point)->combining_class;
}

void decompose(std::string_view segment, std::vector<utf8proc_int32_t>& code_points) {
    code_points.clear();
    for (size_t at = 0; at < segment.size();) {
        const CodePoint character = decodeValid(segment.data() + at);
        std::array<utf8proc_int32_t, 8> parts;  // a canonical decomposition has at most 4
        const utf8proc_ssize_t count = utf8proc_decompose_char(
            static_cast<utf8proc_int32_t>(character.value), parts.data(), parts.size(),
            static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), nullptr);
        code_points.insert(code_points.end(), parts.begin(), parts.begin() + count);
        at += character.length;
    }
}

/// Canonical order. utf8proc's own is an insertion sort: quadratic on a long run of marks.
void sortMarks(std::vector<utf8proc_int32_t>& code_points) {
    auto begin = code_points.begin();
    while (begin != code_points.end()) {
        if (combiningClass(*begin) == 0) {
            ++begin;
            continue;
        }
        const auto end = std::find_if(begin, code_points.end(), [](utf8proc_int32_t code_point) {
            return combiningClass(code_point) == 0;
        });
        std::stable_sort(begin, end, [](utf8proc_int32_t a, utf8proc_int32_t b) {
            return combiningClass(a) < combiningClass(b);
        });
        begin = end;
    }
}

void normalizeSegment(std::string_view segment, std::vector<utf8proc_int32_t>& code_points,
                      std::string& normal) {
    decompose(segment, code_points);
    sortMarks(code_points);
    const utf8proc_ssize_t count =
        utf8proc_normalize_utf32(code_points.data(), static_cast<utf8proc_ssize_t>(code_points.size()),
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    normal.clear();
    for (utf8proc_ssize_t i = 0; i < count; ++i)
        append(normal, static_cast<uint32_t>(code_points[static_cast<size_t>(i)]));
}

}  // namespace

bool toNfc(std::string_view text, std::string& result, SourceMap* map) {
    std::vector<utf8proc_int32_t> code_points;
    std::string normal;
    size_t copied = 0;  // text before it is in `result`
    bool changed = false;
    for (size_t at = nextChecked(text, 0); at < text.size(); at = nextChecked(text, at)) {
        const size_t begin = segmentBegin(text, copied, at);
        at = runEnd(text, at);
        normalizeSegment(text.substr(begin, at - begin), code_points, normal);
        if (normal == text.substr(begin, at - begin))
            continue;
        if (!changed)
            result.clear();
        changed = true;
        result.append(text.substr(copied, begin - copied));
        if (map != nullptr)
            map->addChanged({result.size(), result.size() + normal.size()}, {begin, at});
        result.append(normal);
        copied = at;
    }
    if (changed)
        result.append(text.substr(copied));
    return changed;
}

}  // namespace spd::unicode
