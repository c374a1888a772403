#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace spd {

/// What differs between two settings objects, "temperature was 1.6, is 1.0; ...", nested keys with dots, the
/// order of keys left aside; at most ten. Empty when nothing does.
std::string settingsDifference(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now);

/// Why an output whose settings file `name` holds `before` is not one of the settings `now`: "made with other
/// settings: ...", or that `name` is no settings file (not an object, or one without a single key of `now`).
/// Empty when it is.
std::string strangeSettings(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                            const std::string& name);

}  // namespace spd
