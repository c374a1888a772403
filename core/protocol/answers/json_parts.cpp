#include "core/protocol/answers/json_parts.h"

#include <fmt/format.h>

#include "core/protocol/message.h"

namespace spd::protocol {

using nlohmann::ordered_json;

const ordered_json& listAt(const ordered_json& json, const char* key) {
    static const ordered_json none = ordered_json::array();
    const auto found = json.find(key);
    if (found == json.end() || found->is_null())
        return none;
    if (!found->is_array())
        throw Refusal(Code::invalid_params, fmt::format("{}: must be a list", key));
    return *found;
}

std::vector<int64_t> integersAt(const ordered_json& json, const char* key) {
    std::vector<int64_t> integers;
    for (const ordered_json& value : listAt(json, key)) {
        if (!value.is_number_integer())
            throw Refusal(Code::invalid_params, fmt::format("{}: must be a list of integers", key));
        integers.push_back(value.get<int64_t>());
    }
    return integers;
}

std::vector<CharRange> rangesAt(const ordered_json& json, const char* key) {
    std::vector<CharRange> ranges;
    for (const ordered_json& pair : listAt(json, key)) {
        const bool fits =
            pair.is_array() && pair.size() == 2 && pair[0].is_number_integer() && pair[1].is_number_integer();
        if (!fits || pair[0].get<int64_t>() < 0 || pair[1].get<int64_t>() < pair[0].get<int64_t>())
            throw Refusal(Code::invalid_params, fmt::format("{}: must be a list of [from, to)", key));
        ranges.push_back({pair[0].get<int64_t>(), pair[1].get<int64_t>()});
    }
    return ranges;
}

ordered_json toJson(const std::vector<CharRange>& ranges) {
    ordered_json list = ordered_json::array();
    for (const CharRange& range : ranges)
        list.push_back({range.begin, range.end});
    return list;
}

}  // namespace spd::protocol
