#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace spd {

/// What differs between two settings objects, "temperature was 1.6, is 1.0; ...", nested keys with dots, the
/// order of keys left aside; at most ten. Empty when nothing does.
std::string settingsDifference(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now);

}  // namespace spd
