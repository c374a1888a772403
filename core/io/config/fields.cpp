#include "core/io/config/fields.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace spd {

using Json = nlohmann::ordered_json;

const Json* JsonFields::find(std::string_view key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<int64_t> JsonFields::integer(std::string_view key, int64_t least, int64_t most) const {
    const Json* value = find(key);
    if (value == nullptr)
        return std::nullopt;
    if (!value->is_number_integer())
        refuse(key, "must be an integer");
    const bool too_large =
        value->is_number_unsigned() &&
        value->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (too_large || value->get<int64_t>() < least || value->get<int64_t>() > most)
        refuse(key, fmt::format("is {}, must be {} to {}", value->dump(), least, most));
    return value->get<int64_t>();
}

int64_t JsonFields::requiredInteger(std::string_view key, int64_t least, int64_t most) const {
    const std::optional<int64_t> value = integer(key, least, most);
    if (!value)
        refuse(key, "is missing");
    return *value;
}

std::optional<double> JsonFields::positiveNumber(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr)
        return std::nullopt;
    if (!value->is_number())
        refuse(key, "must be a number");
    const double number = value->get<double>();
    if (!std::isfinite(number) || number <= 0)
        refuse(key, fmt::format("is {}, must be above 0", value->dump()));
    return number;
}

bool JsonFields::flag(std::string_view key, bool fallback) const {
    const Json* value = find(key);
    if (value == nullptr)
        return fallback;
    if (!value->is_boolean())
        refuse(key, "must be true or false");
    return value->get<bool>();
}

std::optional<std::string> JsonFields::text(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr)
        return std::nullopt;
    if (!value->is_string())
        refuse(key, "must be a string");
    return value->get<std::string>();
}

std::optional<JsonFields> JsonFields::object(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr)
        return std::nullopt;
    if (!value->is_object())
        refuse(key, "must be an object");
    return JsonFields(*value, file_, prefix_ + std::string(key) + ".");
}

std::vector<int64_t> JsonFields::tokenIds(std::string_view key, int64_t limit) const {
    const Json* value = find(key);
    std::vector<int64_t> ids;
    if (value == nullptr)
        return ids;
    const auto add = [&](const Json& id) {
        if (!id.is_number_integer())
            refuse(key, "must be a token id or a list of them");
        const bool in_range = id.is_number_unsigned() && id.get<uint64_t>() < static_cast<uint64_t>(limit);
        if (!in_range)
            refuse(key, fmt::format("token id {} is outside the vocabulary of {}", id.dump(), limit));
        ids.push_back(id.get<int64_t>());
    };
    if (!value->is_array())
        add(*value);
    else
        for (const Json& id : *value)
            add(id);
    return ids;
}

void JsonFields::refuse(std::string_view key, std::string_view rule) const {
    throw Error::fileFormat(file_, prefix_ + std::string(key), rule);
}

void JsonFields::refuseUnsupported(std::string_view key, std::string_view rule) const {
    const Error same_wording = Error::fileFormat(file_, prefix_ + std::string(key), rule);
    throw Error(ErrorKind::unsupported_model, same_wording.what());
}

}  // namespace spd
