#include "core/data/lines/foreign_kind.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace spd {
namespace {

using namespace std::string_view_literals;

struct Magic {
    std::string_view bytes;
    std::string_view kind;
};

constexpr std::array kMagics = {
    Magic{"\x1F\x8B"sv, "gzip; unpack it first"},
    Magic{"PAR1"sv, "Parquet"},
    Magic{"PARE"sv, "Parquet, encrypted"},
    Magic{"\x28\xB5\x2F\xFD"sv, "zstd; unpack it first"},
    Magic{"BZh"sv, "bzip2; unpack it first"},
    Magic{"\xFD"
          "7zXZ\0"sv,
          "xz; unpack it first"},
    Magic{"\x04\x22\x4D\x18"sv, "LZ4; unpack it first"},
    Magic{"7z\xBC\xAF\x27\x1C"sv, "7z; unpack it first"},
    Magic{"PK\x03\x04"sv, "zip; unpack it first"},
    Magic{"ARROW1"sv, "Arrow"},
    Magic{"\xFF\xFF\xFF\xFF"sv, "Arrow"},
    Magic{"ORC"sv, "ORC"},
    Magic{"SQLite format 3\0"sv, "an SQLite database"},
    Magic{"%PDF-"sv, "PDF"},
    Magic{"GGUF"sv, "a GGUF model"},
    Magic{"version https://git-lfs"sv, "a Git LFS pointer; fetch the file itself with git lfs pull"},
    Magic{"\xFF\xFE\0\0"sv, "UTF-32 text; save it as UTF-8"},
    Magic{"\0\0\xFE\xFF"sv, "UTF-32 text; save it as UTF-8"},
    Magic{"\xFF\xFE"sv, "UTF-16 text; save it as UTF-8"},
    Magic{"\xFE\xFF"sv, "UTF-16 text; save it as UTF-8"},
};

bool isBlank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view withoutBlanks(std::string_view text) {
    while (!text.empty() && isBlank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && isBlank(text.back()))
        text.remove_suffix(1);
    return text;
}

bool startsWithIgnoringCase(std::string_view text, std::string_view lower_case) {
    return text.size() >= lower_case.size() &&
           std::equal(lower_case.begin(), lower_case.end(), text.begin(), [](char lower, char c) {
               return lower == std::tolower(static_cast<unsigned char>(c));
           });
}

}  // namespace

std::string foreignKind(std::string_view head) {
    for (const Magic& magic : kMagics)
        if (head.starts_with(magic.bytes))
            return std::string(magic.kind);
    // UTF-16 without a mark: each of the first characters, ASCII in JSON, has one zero byte.
    if (head.size() >= 4 && (head[0] == 0) != (head[1] == 0) && (head[0] == 0) == (head[2] == 0) &&
        (head[1] == 0) == (head[3] == 0))
        return "UTF-16 text; save it as UTF-8";
    if (head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
        return "a pickle, which is never opened";
    const std::string_view text = withoutBlanks(head);
    for (const std::string_view tag : {"<!doctype"sv, "<html"sv, "<head"sv, "<body"sv})
        if (startsWithIgnoringCase(text, tag))
            return "an HTML page";
    if (startsWithIgnoringCase(text, "<?xml"))
        return "XML";
    return "";
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
