#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace spd {

/// A value of tokenizer.json that knows where it stands, for refusals that name file, place and rule.
class JsonNode {
public:
    using Json = nlohmann::ordered_json;

    /// All arguments but `path` must outlive the node.
    JsonNode(const Json& value, const std::string& file, std::string path)
        : value_(&value), file_(&file), path_(std::move(path)) {}

    const Json& value() const { return *value_; }
    const std::string& path() const { return path_; }

    /// A required member of an object. @throws Error file_format
    JsonNode at(const std::string& name) const;
    /// nullopt when it is absent or null.
    std::optional<JsonNode> find(const std::string& name) const;
    /// An element of an array; `index` must be below its size.
    JsonNode element(size_t index) const;

    const JsonNode& expectObject() const;
    const JsonNode& expectArray() const;
    const std::string& text() const;
    bool boolean() const;
    /// A token id: an integer from 0 to 2^21 - 1.
    int32_t tokenId() const;

    /// @throws Error file_format
    [[noreturn]] void refuse(std::string_view rule) const;
    /// For a sound file of a kind that is not computed. @throws Error unsupported_model
    [[noreturn]] void refuseUnsupported(std::string_view rule) const;

private:
    const Json* value_;
    const std::string* file_;
    std::string path_;
};

}  // namespace spd
