#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/model_config.h"

namespace spd {

/// `path` and its ends behind each dot: "a.b.c", "b.c", "c". They point into `path`.
std::vector<std::string_view> endsOf(std::string_view path);

/// What the entries of target_modules may name: any module that peft could put LoRA on, by its path or an end
/// of it.
class TargetNames {
public:
    enum class Kind {
        unknown,    ///< nothing of this model
        attention,  ///< q_proj, k_proj, v_proj, o_proj only
        other,      ///< a module that this program puts no LoRA on
    };
    explicit TargetNames(const ModelConfig& config);
    Kind kindOf(const std::string& name) const;

private:
    void add(const std::string& path, Kind kind);
    std::map<std::string, Kind, std::less<>> kinds_;
};

/// A key of rank_pattern that means the same read as a regular expression and read as a module path: letters,
/// digits, _ and dots, with a ^ in front where the whole path is meant.
bool isPlainPattern(std::string_view pattern);

/// Whether re.match(rf"(.*\.)?({pattern})$", path) finds something, for a plain pattern.
bool fitsPattern(std::string_view pattern, std::string_view path);

}  // namespace spd
