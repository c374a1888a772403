#include "core/protocol/params.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/protocol/message.h"

namespace spd::protocol {

using nlohmann::ordered_json;

namespace {

[[noreturn]] void refuse(const std::string& key, const char* rule) {
    throw Refusal(Code::invalid_params, fmt::format("{}: {}", printable(key), rule));
}

std::string textOf(const std::string& key, const ordered_json& value) {
    if (!value.is_string())
        refuse(key, "must be a text");
    return value.get<std::string>();
}

int64_t integerOf(const std::string& key, const ordered_json& value) {
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)))
        refuse(key, "must be an integer");
    return value.get<int64_t>();
}

double numberOf(const std::string& key, const ordered_json& value) {
    if (!value.is_number())
        refuse(key, "must be a number");
    return value.get<double>();
}

}  // namespace

const ordered_json* Params::find(const std::string& key) {
    asked_.insert(key);
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
}

const ordered_json& Params::require(const std::string& key) {
    const ordered_json* value = find(key);
    if (value == nullptr)
        refuse(key, "is missing");
    return *value;
}

bool Params::has(const std::string& key) {
    return find(key) != nullptr;
}

std::string Params::text(const std::string& key) {
    return textOf(key, require(key));
}

std::string Params::text(const std::string& key, const std::string& otherwise) {
    const ordered_json* value = find(key);
    return value == nullptr ? otherwise : textOf(key, *value);
}

int64_t Params::integer(const std::string& key) {
    return integerOf(key, require(key));
}

int64_t Params::integer(const std::string& key, int64_t otherwise) {
    return optionalInteger(key).value_or(otherwise);
}

double Params::number(const std::string& key, double otherwise) {
    return optionalNumber(key).value_or(otherwise);
}

bool Params::flag(const std::string& key, bool otherwise) {
    const ordered_json* value = find(key);
    if (value == nullptr)
        return otherwise;
    if (!value->is_boolean())
        refuse(key, "must be true or false");
    return value->get<bool>();
}

std::vector<std::string> Params::texts(const std::string& key) {
    const ordered_json* value = find(key);
    if (value == nullptr)
        return {};
    if (!value->is_array())
        refuse(key, "must be a list of texts");
    std::vector<std::string> texts;
    for (const ordered_json& one : *value)
        texts.push_back(textOf(key, one));
    return texts;
}

std::optional<double> Params::optionalNumber(const std::string& key) {
    const ordered_json* value = find(key);
    return value == nullptr ? std::nullopt : std::optional<double>(numberOf(key, *value));
}

std::optional<int64_t> Params::optionalInteger(const std::string& key) {
    const ordered_json* value = find(key);
    return value == nullptr ? std::nullopt : std::optional<int64_t>(integerOf(key, *value));
}

ordered_json Params::object(const std::string& key) {
    const ordered_json* value = find(key);
    if (value == nullptr)
        return ordered_json::object();
    if (!value->is_object())
        refuse(key, "must be an object");
    return *value;
}

void Params::refuseOthers() const {
    for (const auto& [key, value] : json_.items())
        if (!asked_.contains(key))
            refuse(key, "no such parameter");
}

}  // namespace spd::protocol
