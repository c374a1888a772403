#include "core/data/corpus/settings_difference.h"

#include <fmt/format.h>

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

std::string shown(const std::map<std::string, std::string>& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? "absent" : printable(found->second, 60);
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
    for (const std::string& key : keys)
        if (shown(old_values, key) != shown(new_values, key) || old_values[key] != new_values[key])
            differences.push_back(fmt::format("{} was {}, is {}", printable(key, 80), shown(old_values, key),
                                              shown(new_values, key)));
    const size_t named = std::min(differences.size(), kMaxNamed);
    std::string text = fmt::format(
        "{}", fmt::join(differences.begin(), differences.begin() + static_cast<ptrdiff_t>(named), "; "));
    if (differences.size() > named)
        text += fmt::format("; and {} more", differences.size() - named);
    return text;
}

}  // namespace spd
