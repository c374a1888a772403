#include "core/io/weights/shard_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/io/config/fields.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

std::string lowerCase(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// A name that could lead out of the folder, or hide what it is, is refused before anything is opened.
void checkShardName(const std::string& tensor, const std::string& name, const JsonFields& map) {
    const bool plain =
        !name.empty() && name.size() <= 255 && std::none_of(name.begin(), name.end(), [](char c) {
            return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        });
    if (!plain || name.front() == '.' || !name.ends_with(".safetensors"))
        map.refuse(tensor, fmt::format("\"{}\" is not a plain file name ending in .safetensors",
                                       printable(name, 80)));
}

void readWeightMap(const JsonFields& map, ShardIndex& index) {
    std::map<std::string, size_t> shard_of;
    std::map<std::string, std::string> spelling_of;
    for (const auto& [tensor, value] : map.json().items()) {
        if (!value.is_string())
            map.refuse(tensor, "must be a file name");
        const auto& name = value.get_ref<const std::string&>();
        auto found = shard_of.find(name);
        if (found == shard_of.end()) {
            checkShardName(tensor, name, map);
            const auto spelling = spelling_of.emplace(lowerCase(name), name).first;
            if (spelling->second != name)
                map.refuse(tensor,
                           fmt::format("\"{}\" differs from \"{}\" by case only", name, spelling->second));
            if (shard_of.size() == most_shards)
                map.refuse(tensor, fmt::format("more than {} shards", most_shards));
            found = shard_of.emplace(name, shard_of.size()).first;
            index.shards.push_back(name);
        }
        index.entries.push_back({tensor, found->second});
    }
}

/// Some writers store the size as 1.5e10.
std::optional<uint64_t> readTotalSize(const JsonFields& metadata) {
    const Json* value = metadata.find("total_size");
    if (value == nullptr)
        return std::nullopt;
    if (value->is_number_unsigned())
        return value->get<uint64_t>();
    constexpr double exact_limit = 9007199254740992.0;  // 2^53
    if (value->is_number_float() && value->get<double>() >= 0 && value->get<double>() < exact_limit &&
        value->get<double>() == static_cast<double>(static_cast<uint64_t>(value->get<double>())))
        return static_cast<uint64_t>(value->get<double>());
    metadata.refuse("total_size", "must be a number of bytes");
}

}  // namespace

ShardIndex parseShardIndex(std::string_view json, const std::string& file) {
    const Json object =
        parseStrictJson(json, file, {most_index_bytes, /*max_depth=*/8, /*max_values=*/1'010'000});
    if (!object.is_object())
        throw Error::fileFormat(file, "", "must be a JSON object");
    const JsonFields fields(object, file);
    const std::optional<JsonFields> map = fields.object("weight_map");
    if (!map)
        fields.refuse("weight_map", "is missing");
    ShardIndex index;
    readWeightMap(*map, index);
    if (index.entries.empty())
        fields.refuse("weight_map", "names no tensor");
    if (const std::optional<JsonFields> metadata = fields.object("metadata"))
        index.total_size = readTotalSize(*metadata);
    return index;
}

}  // namespace spd
