#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace spd::test {

/// Sound files: Llama 3.2 1B's config.json in the spelling of transformers 4, Qwen2.5 0.5B's, and Qwen3
/// 0.6B's (cut to two layers) in the spelling of transformers 5.
nlohmann::ordered_json llamaConfig();
nlohmann::ordered_json qwen2Config();
nlohmann::ordered_json qwen3Config();

/// A config.json that must be refused.
struct BadConfig {
    std::string rule;  ///< "C2": the line of hardening.md 3.3
    std::string text;
    std::string says;  ///< part of the refusal
    ErrorKind kind = ErrorKind::file_format;
};

/// C1 to C10, without C5, which needs weights.
std::vector<BadConfig> badConfigs();

}  // namespace spd::test
