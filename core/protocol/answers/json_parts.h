#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace spd::protocol {

// Parts that several answers share. All @throws Refusal invalid_params, which names the key.

/// The list at `key`; an empty one when it is missing or null.
const nlohmann::ordered_json& listAt(const nlohmann::ordered_json& json, const char* key);
std::vector<int64_t> integersAt(const nlohmann::ordered_json& json, const char* key);

/// Characters (Unicode code points) [begin, end).
struct CharRange {
    int64_t begin = 0;
    int64_t end = 0;

    bool operator==(const CharRange&) const = default;
};
std::vector<CharRange> rangesAt(const nlohmann::ordered_json& json, const char* key);
nlohmann::ordered_json toJson(const std::vector<CharRange>& ranges);

}  // namespace spd::protocol
