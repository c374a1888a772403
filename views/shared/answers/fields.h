#pragma once

#include <QString>
#include <nlohmann/json.hpp>

namespace spd {

// Members of an engine's answer as they are shown: what is missing or of another type is empty, not an error.

QString textAt(const nlohmann::ordered_json& json, const char* key);
double numberAt(const nlohmann::ordered_json& json, const char* key, double otherwise = 0);
qint64 integerAt(const nlohmann::ordered_json& json, const char* key);

}  // namespace spd
