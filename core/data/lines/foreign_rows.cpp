#include "core/data/lines/foreign_rows.h"

#include "core/base/foreign_kind.h"

namespace spd {
namespace {

using namespace std::string_view_literals;

std::string_view withoutBlanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const size_t begin = text.find_first_not_of(blanks);
    return begin == std::string_view::npos ? ""sv
                                           : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// By its mark, or without one: each of the first characters, ASCII in JSON, has one zero byte.
bool isUtf16(std::string_view head) {
    if (head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv))
        return true;
    return head.size() >= 4 && (head[0] == 0) != (head[1] == 0) && (head[0] == 0) == (head[2] == 0) &&
           (head[1] == 0) == (head[3] == 0);
}

}  // namespace

std::string foreignRows(std::string_view head) {
    if (std::string kind = foreignKind(head); !kind.empty())
        return kind;
    if (head.starts_with("\xFF\xFF\xFF\xFF"sv))
        return "Arrow";
    if (head.starts_with("\xFF\xFE\0\0"sv) || head.starts_with("\0\0\xFE\xFF"sv))
        return "UTF-32 text; save it as UTF-8";
    return isUtf16(head) ? "UTF-16 text; save it as UTF-8" : "";
}

std::string foreignText(std::string_view head) {
    const std::string_view text = withoutBlanks(head);
    const size_t end = text.find('\n');
    const std::string_view first = withoutBlanks(text.substr(0, end));
    const std::string_view second =
        end == std::string_view::npos ? ""sv : withoutBlanks(text.substr(end + 1));
    if (first.starts_with('['))
        return "one JSON array";
    if (first == "{")
        return "one JSON value over several lines";
    const bool separated = first.find_first_of(",;\t") != std::string_view::npos;
    if (separated && !first.starts_with('{') && !second.starts_with('{'))
        return "CSV or another table";
    return "";
}

}  // namespace spd
