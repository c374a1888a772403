#include "core/io/safetensors/header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "core/base/duplicates.h"
#include "core/base/error.h"
#include "core/base/foreign_kind.h"
#include "core/io/safetensors/header_events.h"

namespace spd {
namespace {

constexpr size_t start_bytes = 64;

/// What kind of file starts like this; asked only of one that is no safetensors file.
std::string foreignStart(std::string_view start) {
    if (start.starts_with("PK\x03\x04"))
        return "a zip archive (perhaps a PyTorch checkpoint, which is never loaded)";
    if (std::string kind = foreignKind(start); !kind.empty())
        return kind;
    if (start.starts_with('{') && !start.substr(1).starts_with('\0'))  // not the length 123
        return "JSON text without the length before it";
    // The error of a server, saved under the file's name: no length has 8 printable bytes.
    const bool is_text = start.size() >= 8 && std::all_of(start.begin(), start.begin() + 8,
                                                          [](char c) { return c >= 0x20 && c < 0x7F; });
    return is_text ? fmt::format("text that starts \"{}\"", printable(start, 40)) : "";
}

[[noreturn]] void refuseFrame(std::string_view start, const std::string& file, const std::string& rule) {
    const std::string kind = foreignStart(start);
    throw Error::fileFormat(file, "byte 0",
                            kind.empty() ? rule : fmt::format("not a safetensors file but {}", kind));
}

/// The length that is read from a gzip file's first bytes may lie within the file: then its text tells.
[[noreturn]] void refuseTextWithoutBrace(std::string_view text, size_t at, const std::string& file) {
    std::string start;
    for (size_t i = 0; i < 8; ++i)
        start += static_cast<char>((text.size() >> (8 * i)) & 0xFF);
    start += text.substr(0, start_bytes - 8);
    if (!foreignStart(start).empty())
        refuseFrame(start, file, "");
    throw Error::fileFormat(file, fmt::format("byte {}", 8 + at), "the header does not start with {");
}

std::string describe(const TensorEntry& tensor) {
    return fmt::format("tensor \"{}\"", printable(tensor.name, 120));
}

/// The ranges must follow each other from 0 to the end of the data (S33, S34, S35).
void checkContiguous(const std::vector<TensorEntry>& tensors, uint64_t data_bytes, const std::string& file) {
    uint64_t expected = 0;
    for (const TensorEntry& tensor : tensors) {
        if (tensor.begin != expected)
            throw Error::fileFormat(
                file, describe(tensor),
                tensor.begin < expected
                    ? fmt::format("its bytes from {} overlap another tensor's, which end at {}", tensor.begin,
                                  expected)
                    : fmt::format("{} bytes before it belong to no tensor", tensor.begin - expected));
        expected = tensor.end;
    }
    if (expected != data_bytes)
        throw Error::fileFormat(file, fmt::format("data byte {}", expected),
                                fmt::format("{} extra bytes after the last tensor", data_bytes - expected));
}

void refuseDuplicateNames(const std::vector<TensorEntry>& tensors, const std::string& file) {
    std::vector<std::string_view> names;
    names.reserve(tensors.size());
    for (const TensorEntry& tensor : tensors)
        names.push_back(tensor.name);
    if (const std::optional<size_t> later = findDuplicate(names))
        throw Error::fileFormat(file, describe(tensors[*later]), "the name is used twice");
}

}  // namespace

int64_t TensorEntry::elements() const {
    return static_cast<int64_t>(bytes()) / bytesPerElement(type);
}

std::string shapeText(const std::vector<int64_t>& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

uint64_t headerLength(std::string_view start, uint64_t file_bytes, const std::string& file) {
    if (file_bytes < 8 || start.size() < 8)
        refuseFrame(start, file,
                    fmt::format("the file has {} bytes, the length of the header alone takes 8", file_bytes));
    uint64_t length = 0;
    for (size_t i = 8; i-- > 0;)
        length = (length << 8) | static_cast<unsigned char>(start[i]);
    if (length < 2)
        refuseFrame(start, file, fmt::format("header length {}, no JSON object fits", length));
    if (length > most_header_bytes)
        refuseFrame(start, file, fmt::format("header length {}, the limit is {}", length, most_header_bytes));
    if (length > file_bytes - 8)
        refuseFrame(start, file,
                    fmt::format("header length {}, but the file has only {} bytes behind it", length,
                                file_bytes - 8));
    return length;
}

SafetensorsHeader parseSafetensorsHeader(std::string_view text, uint64_t data_bytes,
                                         const std::string& file) {
    const size_t brace = text.find_first_not_of(" \t\r\n");
    if (brace == std::string_view::npos || text[brace] != '{')
        refuseTextWithoutBrace(text, std::min(brace, text.size()), file);
    SafetensorsHeader header = SafetensorsHeaderEvents(file, data_bytes).read(text);
    refuseDuplicateNames(header.tensors, file);
    std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    checkContiguous(header.tensors, data_bytes, file);
    header.data_begin = 8 + text.size();
    return header;
}

}  // namespace spd
