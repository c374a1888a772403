#include "core/io/adapter/target_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/io/adapter/peft_config.h"

namespace spd {

std::vector<std::string_view> endsOf(std::string_view path) {
    std::vector<std::string_view> ends = {path};
    for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1))
        ends.push_back(path.substr(dot + 1));
    return ends;
}

TargetNames::TargetNames(const ModelConfig& config) {
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
        for (const AttentionLinear linear : kAttentionLinears)
            add(modulePath(layer, linear), Kind::attention);
        for (const char* linear : {"gate_proj", "up_proj", "down_proj"})
            add(fmt::format("model.layers.{}.mlp.{}", layer, linear), Kind::other);
    }
    add("model.embed_tokens", Kind::other);
    add("lm_head", Kind::other);
}

void TargetNames::add(const std::string& path, Kind kind) {
    for (const std::string_view end : endsOf(path))
        kinds_.emplace(end, kind);
}

TargetNames::Kind TargetNames::kindOf(const std::string& name) const {
    const auto found = kinds_.find(name);
    return found == kinds_.end() ? Kind::unknown : found->second;
}

bool isPlainPattern(std::string_view pattern) {
    if (pattern.starts_with('^'))
        pattern.remove_prefix(1);
    return !pattern.empty() && std::all_of(pattern.begin(), pattern.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '.';
    });
}

bool fitsPattern(std::string_view pattern, std::string_view path) {
    const bool whole = pattern.starts_with('^');
    if (whole)
        pattern.remove_prefix(1);
    if (pattern.size() > path.size() || (whole && pattern.size() != path.size()))
        return false;
    const std::string_view end = path.substr(path.size() - pattern.size());
    if (end.size() < path.size() && path[path.size() - end.size() - 1] != '.')
        return false;
    // A dot of a regular expression stands for any character.
    return std::equal(pattern.begin(), pattern.end(), end.begin(),
                      [](char p, char c) { return p == c || p == '.'; });
}

}  // namespace spd
