#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "core/text/jinja/builtins/builtins.h"

namespace spd::jinja {
namespace {

Value range(Runtime& runtime, const Value&, const Arguments& arguments) {
    const Parameters parameters("range", arguments, {"start", "stop", "step"}, 1);
    const bool has_start = parameters.has(1);
    for (size_t i = 0; i < 3; ++i)
        if (parameters.has(i) && !asInteger(parameters.value(i)))
            throw Fault("range needs integers, not " + typeName(parameters.value(i)));
    const int64_t start = has_start ? parameters.integer(0, 0) : 0;
    const int64_t stop = parameters.integer(has_start ? 1 : 0, 0);
    const int64_t step = parameters.integer(2, 1);
    if (step == 0)
        throw Fault("range needs a step that is not zero");
    // Distances as unsigned: stop - start may leave int64.
    const bool is_empty = step > 0 ? start >= stop : start <= stop;
    const uint64_t distance = step > 0 ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                                       : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
    const uint64_t width = step > 0 ? static_cast<uint64_t>(step) : -static_cast<uint64_t>(step);
    const uint64_t count = is_empty ? 0 : (distance - 1) / width + 1;
    if (count > max_range)
        throw Fault("range has more than 100,000 items");
    runtime.meter.elements(count);
    std::vector<Value> items;
    for (uint64_t i = 0; i < count; ++i)
        items.push_back(
            Value(static_cast<int64_t>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(step))));
    return makeSequence(Sequence::Kind::range, std::move(items));
}

/// dict(mapping, key=value...).
Value dict(Runtime& runtime, const Value&, const Arguments& arguments) {
    Dict result;
    if (arguments.positional.size() > 1 ||
        (arguments.positional.size() == 1 && !arguments.positional[0].asDict()))
        throw Fault("dict and namespace take one dict and named values");
    if (!arguments.positional.empty()) {
        result = *arguments.positional[0].asDict();
        runtime.meter.elements(result.items.size());
    }
    for (const auto& [name, value] : arguments.named)
        setItem(runtime.meter, result, Value::text(name), value);
    return makeDict(std::move(result));
}

Value makeNamespace(Runtime& runtime, const Value& self, const Arguments& arguments) {
    auto space = std::make_shared<Namespace>();
    const Value initial = dict(runtime, self, arguments);
    for (const auto& [key, value] : initial.asDict()->items) {
        if (!key.asText() || key.asText()->bytes.starts_with('_'))
            throw Fault("a namespace cannot hold a name that starts with an underscore");
        space->attributes.emplace_back(key.asText()->bytes, value);
    }
    runtime.namespaces.push_back(space);
    return Value(std::move(space));
}

Value raiseException(Runtime& runtime, const Value&, const Arguments& arguments) {
    const Parameters parameters("raise_exception", arguments, {"message"}, 1);
    throw Fault("the template refuses: " + toText(runtime.meter, parameters.value(0)).bytes);
}

Value strftimeNow(Runtime& runtime, const Value&, const Arguments& arguments) {
    const Parameters parameters("strftime_now", arguments, {"format"}, 1);
    const Text* format = parameters.text(0);
    if (!format)
        throw Fault("strftime_now needs a string");
    runtime.meter.step(format->bytes.size());
    return Value::text(formatDate(runtime.date, format->bytes));
}

std::string formatDirective(const PinnedDate& date, std::string_view directive) {
    static constexpr std::string_view days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
    static constexpr std::string_view months[] = {"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};
    using namespace std::chrono;
    const sys_days day{year{date.year} / date.month / date.day};
    const std::string_view month = months[date.month - 1];
    const std::string_view weekday_name = days[weekday{day}.c_encoding()];
    const auto day_of_year = (day - sys_days{year{date.year} / 1 / 1}).count() + 1;
    const int hour12 = date.hour % 12 == 0 ? 12 : date.hour % 12;
    const std::pair<std::string_view, std::string> forms[] = {
        {"Y", std::to_string(date.year)},
        {"y", fmt::format("{:02}", date.year % 100)},
        {"m", fmt::format("{:02}", date.month)},
        {"-m", std::to_string(date.month)},
        {"B", std::string(month)},
        {"b", std::string(month.substr(0, 3))},
        {"d", fmt::format("{:02}", date.day)},
        {"-d", std::to_string(date.day)},
        {"e", fmt::format("{:2}", date.day)},
        {"j", fmt::format("{:03}", day_of_year)},
        {"A", std::string(weekday_name)},
        {"a", std::string(weekday_name.substr(0, 3))},
        {"H", fmt::format("{:02}", date.hour)},
        {"I", fmt::format("{:02}", hour12)},
        {"M", fmt::format("{:02}", date.minute)},
        {"S", fmt::format("{:02}", date.second)},
        {"p", date.hour < 12 ? "AM" : "PM"},
        {"F", fmt::format("{}-{:02}-{:02}", date.year, date.month, date.day)},
        {"T", fmt::format("{:02}:{:02}:{:02}", date.hour, date.minute, date.second)},
        {"%", "%"},
    };
    for (const auto& [name, text] : forms)
        if (name == directive)
            return text;
    throw Fault("the date directive '%" + std::string(directive) + "' is not supported");
}

constexpr NamedBuiltin table[] = {{"dict", dict},
                                  {"namespace", makeNamespace},
                                  {"raise_exception", raiseException},
                                  {"range", range},
                                  {"strftime_now", strftimeNow}};

}  // namespace

Builtin findGlobal(std::string_view name) {
    for (const NamedBuiltin& entry : table)
        if (entry.name == name)
            return entry.function;
    return nullptr;
}

std::string formatDate(const PinnedDate& date, std::string_view format) {
    std::string out;
    for (size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            out += format[i];
            continue;
        }
        const size_t size = i + 2 < format.size() && format[i + 1] == '-' ? 2 : 1;
        out += formatDirective(date, format.substr(i + 1, size));
        i += size;
    }
    return out;
}

std::optional<PinnedDate> parsePinnedDate(std::string_view text) {
    PinnedDate date;
    int used = 0;
    const std::string copy(text);
    if (text.size() == 10)
        std::sscanf(copy.c_str(), "%4d-%2d-%2d%n", &date.year, &date.month, &date.day, &used);
    else if (text.size() == 19)
        std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &date.year, &date.month, &date.day, &date.hour,
                    &date.minute, &date.second, &used);
    const bool is_plain = text.find_first_not_of("0123456789-T:") == std::string_view::npos;
    using namespace std::chrono;
    const auto inRange = [](int value, int end) { return value >= 0 && value < end; };
    const bool exists = date.year >= 1000 && inRange(date.month, 13) && inRange(date.day, 32) &&
                        (year{date.year} / date.month / date.day).ok();
    if (used == 0 || static_cast<size_t>(used) != text.size() || !is_plain || !exists ||
        !inRange(date.hour, 24) || !inRange(date.minute, 60) || !inRange(date.second, 60))
        return std::nullopt;
    return date;
}

}  // namespace spd::jinja
