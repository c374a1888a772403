#include "core/data/corpus/settings_difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/base/error.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// "generation.top_k" -> 20. Lists are values; depth is bounded by the caller's parser.
void flatten(const Json& value, const std::string& path, std::map<std::string, std::string>& out) {
    if (!value.is_object() || value.empty()) {
        out[path] = value.dump(-1, ' ', false, Json::error_handler_t::replace);
        return;
    }
    for (const auto& [key, member] : value.items())
        flatten(member, path.empty() ? key : path + "." + key, out);
}

const std::string* find(const std::map<std::string, std::string>& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? nullptr : &found->second;
}

std::string shown(const std::string* value) {
    return value == nullptr ? "absent" : printable(*value, 60);
}

}  // namespace

std::string settingsDifference(const Json& before, const Json& now) {
    constexpr size_t kMaxNamed = 10;
    std::map<std::string, std::string> old_values;
    std::map<std::string, std::string> new_values;
    flatten(before, "", old_values);
    flatten(now, "", new_values);
    std::set<std::string> keys;
    for (const auto* values : {&old_values, &new_values})
        for (const auto& entry : *values)
            keys.insert(entry.first);
    std::vector<std::string> differences;
    for (const std::string& key : keys) {
        const std::string* old_value = find(old_values, key);
        const std::string* new_value = find(new_values, key);
        if (old_value == nullptr || new_value == nullptr || *old_value != *new_value)
            differences.push_back(
                fmt::format("{} was {}, is {}", printable(key, 80), shown(old_value), shown(new_value)));
    }
    const size_t named = std::min(differences.size(), kMaxNamed);
    std::string text = fmt::format(
        "{}", fmt::join(differences.begin(), differences.begin() + static_cast<ptrdiff_t>(named), "; "));
    if (differences.size() > named)
        text += fmt::format("; and {} more", differences.size() - named);
    return text;
}

std::string strangeSettings(const Json& before, const Json& now, const std::string& name) {
    const bool is_settings =
        before.is_object() && std::any_of(now.items().begin(), now.items().end(),
                                          [&](const auto& item) { return before.contains(item.key()); });
    if (!is_settings)
        return fmt::format("{} is not a settings file", printable(name, 1000));
    const std::string difference = settingsDifference(before, now);
    return difference.empty() ? "" : fmt::format("made with other settings: {}", difference);
}

}  // namespace spd
