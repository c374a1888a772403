#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "core/data/json_lines.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

bool equalIgnoringCase(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
    });
}

std::string kindOf(const Json& value) {
    if (value.is_number_float())
        return "a number with a fraction or exponent, or beyond 64 bits";
    if (value.is_number())
        return isInt64(value) ? "an integer" : "an integer beyond int64";
    if (value.is_null())
        return "null";
    return fmt::format("{} {}", value.is_array() || value.is_object() ? "an" : "a", value.type_name());
}

[[noreturn]] void refuseKind(std::string_view field, std::string_view wanted, const Json& value) {
    throw rowError(fmt::format("\"{}\" is to be {}, this is {}", field, wanted, kindOf(value)));
}

}  // namespace

Error rowError(const std::string& rule) {
    return Error(ErrorKind::file_format, printable(rule, 500));
}

const Json* findField(const Json& row, std::string_view field) {
    if (const auto found = row.find(field); found != row.end())
        return &*found;
    for (const auto& [key, value] : row.items())
        if (equalIgnoringCase(key, field))
            throw rowError(fmt::format("no field \"{}\"; there is \"{}\"", field, key));
    return nullptr;
}

const Json& requireField(const Json& row, std::string_view field) {
    if (const Json* value = findField(row, field))
        return *value;
    throw rowError(fmt::format("no field \"{}\"", field));
}

bool isInt64(const Json& value) {
    if (value.is_number_unsigned())
        return value.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    return value.is_number_integer();
}

const std::string& requireString(const Json& row, std::string_view field) {
    const Json& value = requireField(row, field);
    if (!value.is_string())
        refuseKind(field, "a string", value);
    return value.get_ref<const std::string&>();
}

int64_t requireInteger(const Json& row, std::string_view field) {
    const Json& value = requireField(row, field);
    if (!isInt64(value))
        refuseKind(field, "an integer", value);
    return value.get<int64_t>();
}

std::vector<int64_t> requireIntegers(const Json& row, std::string_view field) {
    const Json& value = requireField(row, field);
    if (!value.is_array())
        refuseKind(field, "a list of integers", value);
    std::vector<int64_t> integers;
    integers.reserve(value.size());
    for (const Json& element : value) {
        if (!isInt64(element))
            throw rowError(fmt::format("\"{}\" is to hold integers, its element {} (from 0) is {}", field,
                                       integers.size(), kindOf(element)));
        integers.push_back(element.get<int64_t>());
    }
    return integers;
}

}  // namespace spd
