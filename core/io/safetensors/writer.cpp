#include "core/io/safetensors/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace spd {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are written as they lie in memory");

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

/// "a.2" before "a.10": callers number tensors and produce them in that order.
bool naturallyLess(const std::string& a, const std::string& b) {
    size_t i = 0;
    size_t j = 0;
    while (i < a.size() && j < b.size()) {
        if (!isDigit(a[i]) || !isDigit(b[j])) {
            if (a[i] != b[j])
                return a[i] < b[j];
            ++i;
            ++j;
            continue;
        }
        size_t a_end = i;
        size_t b_end = j;
        while (a_end < a.size() && isDigit(a[a_end]))
            ++a_end;
        while (b_end < b.size() && isDigit(b[b_end]))
            ++b_end;
        if (a_end - i != b_end - j)
            return a_end - i < b_end - j;
        if (const int order = a.compare(i, a_end - i, b, j, b_end - j); order != 0)
            return order < 0;
        i = a_end;
        j = b_end;
    }
    return a.size() - i < b.size() - j;
}

uint64_t bytesOf(const TensorInfo& tensor) {
    int64_t bytes = bytesPerElement(tensor.type);
    for (const int64_t dimension : tensor.shape)
        if (dimension < 0 || __builtin_mul_overflow(bytes, dimension, &bytes))
            throw Error(ErrorKind::internal,
                        fmt::format("tensor {}: shape {}", tensor.name, shapeText(tensor.shape)));
    return static_cast<uint64_t>(bytes);
}

/// Length and header, padded with spaces so that the data begins at a multiple of 8.
std::string frame(const std::vector<TensorInfo>& tensors,
                  const std::map<std::string, std::string>& metadata) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    using Members = nlohmann::ordered_json::object_t::Container;
    // Straight into the members: operator[] searches all earlier keys, and the names were checked.
    auto& members = static_cast<Members&>(header.get_ref<nlohmann::ordered_json::object_t&>());
    if (!metadata.empty())
        members.emplace_back("__metadata__", metadata);
    uint64_t offset = 0;
    for (const TensorInfo& tensor : tensors) {
        const uint64_t end = offset + bytesOf(tensor);
        nlohmann::ordered_json entry = {{"dtype", name(tensor.type)}, {"shape", tensor.shape}};
        entry["data_offsets"] = {offset, end};
        members.emplace_back(tensor.name, std::move(entry));
        offset = end;
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    std::string bytes(8, '\0');
    for (size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<char>((text.size() >> (8 * i)) & 0xFF);
    return bytes + text;
}

std::vector<TensorInfo> sorted(std::vector<TensorInfo> tensors) {
    std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
        const int64_t a_width = bytesPerElement(a.type);
        const int64_t b_width = bytesPerElement(b.type);
        return a_width != b_width ? a_width > b_width : naturallyLess(a.name, b.name);
    });
    return tensors;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorInfo> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : tensors_(sorted(std::move(tensors))), file_(path), name_(path.native()) {
    const std::string start = frame(tensors_, metadata);
    // What is written must be what the strict reader accepts: it checks names, sizes and duplicates.
    uint64_t data_bytes = 0;
    for (const TensorInfo& tensor : tensors_)
        data_bytes += bytesOf(tensor);
    try {
        parseSafetensorsHeader(std::string_view(start).substr(8), data_bytes, name_);
    } catch (const Error& error) {
        throw Error(ErrorKind::internal, error.what());
    }
    bytes_left_ = start.size();
    append(start.data(), start.size());
    bytes_left_ = data_bytes;
}

void SafetensorsWriter::append(const void* data, uint64_t bytes) {
    if (bytes > bytes_left_)
        throw Error(ErrorKind::internal, fmt::format("{}: more bytes than the header announces", name_));
    file_.append({static_cast<const char*>(data), bytes});
    bytes_left_ -= bytes;
}

void SafetensorsWriter::commit() {
    if (bytes_left_ != 0)
        throw Error(ErrorKind::internal, fmt::format("{}: {} bytes are missing", name_, bytes_left_));
    file_.commit();
}

}  // namespace spd
