#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace spd::test {

/// A tokenizer.json with all 256 bytes (their byte is their id) and the merges of `words`: each word, in byte
/// characters, gets ids and merges from its front, "abc" as ab, abc. Every part of it may be changed
/// afterwards.
nlohmann::ordered_json smallTokenizer(const std::vector<std::string>& words = {});

/// An entry of added_tokens with all its flags; `normalized` and those given by hand as needed.
nlohmann::ordered_json addedToken(int id, std::string_view content, bool special = true);

/// Pre-tokenizer sections.
nlohmann::ordered_json byteLevel(bool use_regex);
nlohmann::ordered_json splitThenByteLevel(std::string_view regex);

/// The pattern texts as the published files have them.
extern const std::string_view qwen2_regex;
extern const std::string_view llama3_regex;

}  // namespace spd::test
