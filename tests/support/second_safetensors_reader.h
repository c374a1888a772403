#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace spd::test {

struct ReadTensor {
    std::string dtype;
    std::vector<int64_t> shape;
    std::string bytes;
    bool operator==(const ReadTensor&) const = default;
};

/// A second, slow reader of small safetensors files that shares nothing with the one under test: Qt's JSON
/// parser, 128-bit sizes, and a count of owners for each data byte. nullopt where the file breaks the format.
std::optional<std::map<std::string, ReadTensor>> readSafetensorsSlowly(const std::string& file);

}  // namespace spd::test
