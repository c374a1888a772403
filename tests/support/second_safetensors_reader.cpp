#include "tests/support/second_safetensors_reader.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <cstring>
#include <set>

namespace spd::test {
namespace {

__extension__ using Wide = unsigned __int128;

const std::map<std::string, int> widths = {
    {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2},    {"F8_E5M2", 1}, {"I64", 8}, {"U64", 8}, {"I32", 4},
    {"U32", 4}, {"I16", 2}, {"U16", 2}, {"F8_E4M3", 1}, {"I8", 1},      {"U8", 1},  {"BOOL", 1}};

/// Qt keeps integers up to 2^53 and more exactly only when they were written as such; the files here are
/// small.
std::optional<int64_t> wholeNumber(const QJsonValue& value) {
    const double number = value.toDouble(-1);
    const auto whole = static_cast<int64_t>(number);
    if (!value.isDouble() || number < 0 || number > 1e15 || static_cast<double>(whole) != number)
        return std::nullopt;
    return whole;
}

struct Range {
    size_t begin;
    size_t end;
};

/// Every byte has one owner, and an empty tensor lies at somebody's edge.
bool ownsEachByteOnce(const std::vector<Range>& ranges, size_t size) {
    std::vector<int> owners(size, 0);
    std::set<size_t> edges = {0, size};
    for (const Range& range : ranges) {
        edges.insert(range.begin);
        for (size_t i = range.begin; i < range.end; ++i)
            ++owners[i];
    }
    for (const int count : owners)
        if (count != 1)
            return false;
    for (const Range& empty : ranges)
        for (const Range& range : ranges)
            if (empty.begin == empty.end && range.begin < empty.begin && empty.begin < range.end)
                return false;
    return true;
}

bool isMetadata(const QJsonValue& value) {
    if (value.isNull())
        return true;
    for (const QJsonValue& text : value.toObject())
        if (!text.isString())
            return false;
    return value.isObject();
}

std::optional<ReadTensor> readTensor(const QJsonObject& entry, const std::string& data,
                                     std::vector<Range>& ranges) {
    const auto width = widths.find(entry["dtype"].toString().toStdString());
    const QJsonArray offsets = entry["data_offsets"].toArray();
    if (entry.size() != 3 || width == widths.end() || !entry["shape"].isArray() || offsets.size() != 2)
        return std::nullopt;
    ReadTensor tensor{width->first, {}, ""};
    Wide bytes = static_cast<Wide>(width->second);
    for (const QJsonValue& value : entry["shape"].toArray()) {
        const auto dimension = wholeNumber(value);
        if (!dimension || tensor.shape.size() == 8)
            return std::nullopt;
        tensor.shape.push_back(*dimension);
        bytes *= static_cast<Wide>(*dimension);
    }
    const auto begin = wholeNumber(offsets[0]);
    const auto end = wholeNumber(offsets[1]);
    if (!begin || !end || *begin > *end || static_cast<uint64_t>(*end) > data.size() ||
        bytes != static_cast<Wide>(*end - *begin))
        return std::nullopt;
    ranges.push_back({static_cast<size_t>(*begin), static_cast<size_t>(*end)});
    tensor.bytes = data.substr(ranges.back().begin, ranges.back().end - ranges.back().begin);
    return tensor;
}

}  // namespace

std::optional<std::map<std::string, ReadTensor>> readSafetensorsSlowly(const std::string& file) {
    uint64_t length = 0;
    if (file.size() < 8)
        return std::nullopt;
    std::memcpy(&length, file.data(), 8);
    if (length > file.size() - 8)
        return std::nullopt;
    const QJsonDocument document =
        QJsonDocument::fromJson(QByteArray(file.data() + 8, static_cast<qsizetype>(length)));
    if (!document.isObject())
        return std::nullopt;
    const std::string data = file.substr(8 + length);
    std::map<std::string, ReadTensor> tensors;
    std::vector<Range> ranges;
    const QJsonObject header = document.object();
    for (auto entry = header.begin(); entry != header.end(); ++entry) {
        if (entry.key() == "__metadata__") {
            if (!isMetadata(entry.value()))
                return std::nullopt;
            continue;
        }
        const auto tensor = readTensor(entry.value().toObject(), data, ranges);
        if (!tensor)
            return std::nullopt;
        tensors.emplace(entry.key().toStdString(), *tensor);
    }
    return ownsEachByteOnce(ranges, data.size()) ? std::optional(tensors) : std::nullopt;
}

}  // namespace spd::test
