#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace spd {

/// Typed and bounded access to a JSON object that came from a file; a key that holds null counts as absent.
/// Refusals are "FILE: KEY: RULE". The object must outlive this view.
class JsonFields {
public:
    /// @param prefix  what is written before keys in messages, for objects inside objects
    /// ("rope_parameters.").
    JsonFields(const nlohmann::ordered_json& object, std::string file, std::string prefix = "")
        : object_(object), file_(std::move(file)), prefix_(std::move(prefix)) {}

    bool has(std::string_view key) const { return find(key) != nullptr; }
    /// The value, or nullptr where it is absent or null.
    const nlohmann::ordered_json* find(std::string_view key) const;
    /// True when the key is written at all, null included.
    bool isWritten(std::string_view key) const { return object_.contains(key); }

    std::optional<int64_t> integer(std::string_view key, int64_t least, int64_t most) const;
    int64_t requiredInteger(std::string_view key, int64_t least, int64_t most) const;
    /// Above 0 and finite.
    std::optional<double> positiveNumber(std::string_view key) const;
    bool flag(std::string_view key, bool fallback) const;
    std::optional<std::string> text(std::string_view key) const;
    /// The object under `key`, or nullopt where it is absent or null.
    std::optional<JsonFields> object(std::string_view key) const;
    /// An integer or a list of them, each in [0, limit).
    std::vector<int64_t> tokenIds(std::string_view key, int64_t limit) const;

    /// The content breaks a rule of the format: exit 3.
    [[noreturn]] void refuse(std::string_view key, std::string_view rule) const;
    /// Sound, but nothing that this program computes: exit 3.
    [[noreturn]] void refuseUnsupported(std::string_view key, std::string_view rule) const;

    const nlohmann::ordered_json& json() const { return object_; }

private:
    const nlohmann::ordered_json& object_;
    std::string file_;
    std::string prefix_;
};

}  // namespace spd
