#include "core/base/foreign_kind.h"

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
    Magic{"\x1F\x8B\x08"sv, "gzip; unpack it first"},
    Magic{"\x28\xB5\x2F\xFD"sv, "zstd; unpack it first"},
    Magic{"BZh"sv, "bzip2; unpack it first"},
    Magic{"\xFD"
          "7zXZ\0"sv,
          "xz; unpack it first"},
    Magic{"\x04\x22\x4D\x18"sv, "LZ4; unpack it first"},
    Magic{"7z\xBC\xAF\x27\x1C"sv, "7z; unpack it first"},
    Magic{"PK\x03\x04"sv, "zip; unpack it first"},
    Magic{"PAR1"sv, "Parquet"},
    Magic{"PARE"sv, "Parquet, encrypted"},
    Magic{"ARROW1"sv, "Arrow"},
    Magic{"ORC"sv, "ORC"},
    Magic{"SQLite format 3\0"sv, "an SQLite database"},
    Magic{"%PDF-"sv, "PDF"},
    Magic{"GGUF"sv, "a GGUF model"},
    Magic{"\x89HDF\r\n"sv, "HDF5"},
    Magic{"\x93NUMPY"sv, "a NumPy array"},
    Magic{"version https://git-lfs"sv, "a Git LFS pointer; fetch the file itself with git lfs pull"},
    Magic{"# xet version"sv, "a Xet pointer; download the file itself"},
};

/// Protocol 2 to 5, then an opcode: 0x80 0x02 alone may be a length.
bool isPickle(std::string_view head) {
    if (head.size() < 2 || head[0] != '\x80' || head[1] < 2 || head[1] > 5)
        return false;
    const auto opcode = static_cast<unsigned char>(head.size() > 2 ? head[2] : '.');
    return (opcode >= 0x28 && opcode < 0x7F) || (opcode >= 0x80 && opcode <= 0x98);
}

std::string_view withoutMarkAndBlanks(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF"))
        text.remove_prefix(3);
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
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
    if (isPickle(head))
        return "a pickle, which is never opened";
    const std::string_view text = withoutMarkAndBlanks(head);
    for (const std::string_view tag : {"<!doctype"sv, "<html"sv, "<head"sv, "<body"sv})
        if (startsWithIgnoringCase(text, tag))
            return "an HTML page";
    if (startsWithIgnoringCase(text, "<?xml"))
        return "XML, perhaps the error page of a download";
    return "";
}

}  // namespace spd
