#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

Value trim(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("trim", arguments, {"chars"});
    return stripText(runtime, toText(runtime.meter, input), parameters.text(0), true, true);
}

Value upper(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("upper", arguments, {});
    return mapCase(runtime, toText(runtime.meter, input), upperText);
}

Value lower(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("lower", arguments, {});
    return mapCase(runtime, toText(runtime.meter, input), lowerText);
}

Value capitalize(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("capitalize", arguments, {});
    return mapCase(runtime, toText(runtime.meter, input), capitalizeText);
}

/// Jinja's own title: words begin behind - ( { [ < and white space.
std::string titleWords(std::string_view text) {
    const auto separates = [](char32_t c) {
        return c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || isPythonSpace(c);
    };
    std::string out;
    for (size_t i = 0; i < text.size();) {
        const size_t begin = i;
        if (separates(nextCodePoint(text, i))) {
            out += text.substr(begin, i - begin);
            continue;
        }
        const size_t rest = i;
        size_t end = i;
        while (end < text.size() && !separates(nextCodePoint(text, i)))
            end = i;
        i = end;
        out += upperText(text.substr(begin, rest - begin)) + lowerText(text.substr(rest, end - rest));
    }
    return out;
}

Value title(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("title", arguments, {});
    return mapCase(runtime, toText(runtime.meter, input), titleWords);
}

Value replace(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("replace", arguments, {"old", "new", "count"}, 2);
    return replaceText(runtime, toText(runtime.meter, input), toText(runtime.meter, parameters.value(0)),
                       toText(runtime.meter, parameters.value(1)), parameters.integer(2, -1));
}

Value string(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("string", arguments, {});
    return input.asText() ? input : Value::text(toText(runtime.meter, input));
}

Value indent(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("indent", arguments, {"width", "first", "blank"});
    const Text& text = selfText(input);
    TextBuilder indentation(runtime.meter);
    if (parameters.has(0) && parameters.value(0).asText())
        indentation.append(*parameters.text(0));
    else
        indentation.repeat(makeText(" ", false),
                           static_cast<size_t>(std::max<int64_t>(parameters.integer(0, 4), 0)));
    const Text margin = indentation.take();
    const bool blank_too = parameters.flag(2, false);
    // Jinja adds a line end before it splits, so a text that ends in one keeps an empty last line.
    TextBuilder extended(runtime.meter);
    extended.append(text);
    extended.append("\n");
    const Text source = extended.take();
    TextBuilder out(runtime.meter);
    bool is_first = true;
    for (const TextRange& line : splitLines(runtime.meter, source.bytes)) {
        if (!is_first)
            out.append("\n");
        if (is_first ? parameters.flag(1, false) : blank_too || line.end > line.begin)
            out.append(margin);
        out.append(source, line.begin, line.end);
        is_first = false;
    }
    return Value::text(out.take());
}

/// Python's int(text) and float(text) accept blanks around, a sign, and single underscores between digits.
std::optional<std::string> plainNumber(std::string_view text) {
    const auto [begin, end] = stripRange(text, nullptr, {true, true});
    std::string_view inner = text.substr(begin, end - begin);
    if (inner.starts_with('+') && !inner.starts_with("+-"))
        inner.remove_prefix(1);
    const auto isDigit = [&](size_t i) { return i < inner.size() && inner[i] >= '0' && inner[i] <= '9'; };
    std::string out;
    for (size_t i = 0; i < inner.size(); ++i) {
        if (inner[i] != '_')
            out += inner[i];
        else if (i == 0 || !isDigit(i - 1) || !isDigit(i + 1))
            return std::nullopt;
    }
    return out.find('(') == std::string::npos ? std::optional(out) : std::nullopt;
}

std::optional<double> parseDouble(std::string_view text) {
    const auto number = plainNumber(text);
    double result = 0;
    if (!number || number->empty())
        return std::nullopt;
    const char* end = number->data() + number->size();
    const auto parsed = std::from_chars(number->data(), end, result);
    if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument)
        return std::nullopt;
    if (parsed.ec == std::errc::result_out_of_range)
        throw Fault("a number beyond the range of double");
    return result;
}

Value truncateDouble(double number) {
    if (std::isinf(number))
        throw Fault("infinity has no integer");
    if (!(number >= -0x1p63 && number < 0x1p63))
        throw Fault("an integer beyond 64 bits");
    return Value(static_cast<int64_t>(number));
}

Value toInteger(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("int", arguments, {"default", "base"});
    const Value fallback = parameters.has(0) ? parameters.value(0) : Value(int64_t{0});
    if (parameters.integer(1, 10) != 10)
        throw Fault("int with another base than 10 is not supported");
    if (const auto number = asInteger(input))
        return Value(*number);
    if (input.isUndefined())
        throw Fault("int of an undefined value");
    if (const auto* number = input.get<double>())
        return std::isnan(*number) ? fallback : truncateDouble(*number);
    const Text* text = input.asText();
    if (!text)
        return fallback;
    runtime.meter.slowBytes(text->bytes.size());
    if (const auto digits = plainNumber(text->bytes)) {
        int64_t number = 0;
        const auto parsed = std::from_chars(digits->data(), digits->data() + digits->size(), number);
        if (parsed.ec == std::errc() && parsed.ptr == digits->data() + digits->size())
            return Value(number);
        if (parsed.ec == std::errc::result_out_of_range)
            throw Fault("an integer beyond 64 bits");
    }
    const auto number = parseDouble(text->bytes);
    return number && std::isfinite(*number) ? truncateDouble(*number) : fallback;
}

Value toDouble(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("float", arguments, {"default"});
    if (const auto number = asNumber(input))
        return Value(*number);
    if (input.isUndefined())
        throw Fault("float of an undefined value");
    if (const Text* text = input.asText()) {
        runtime.meter.slowBytes(text->bytes.size());
        if (const auto number = parseDouble(text->bytes))
            return Value(*number);
    }
    return parameters.has(0) ? parameters.value(0) : Value(0.0);
}

Value absolute(Runtime&, const Value& input, const Arguments& arguments) {
    const Parameters parameters("abs", arguments, {});
    const auto number = asNumber(input);
    if (!number)
        throw Fault("abs needs a number, not " + typeName(input));
    return negate(input, *number < 0);
}

Value roundNumber(Runtime&, const Value& input, const Arguments& arguments) {
    const Parameters parameters("round", arguments, {"precision", "method"});
    const int64_t precision = parameters.integer(0, 0);
    const std::string method = parameters.text(1) ? parameters.text(1)->bytes : "common";
    const auto number = asNumber(input);
    if (!number || precision < 0 || precision > 15)
        throw Fault("round needs a number and a precision from 0 to 15");
    if (method == "common" && asInteger(input))
        return Value(*asInteger(input));
    if (method == "common")  // the exact decimal digits, cut to even: Python rounds so
        return Value(parseDouble(fmt::format("{:.{}f}", *number, precision)).value_or(*number));
    if (method != "ceil" && method != "floor")
        throw Fault("round knows the methods common, ceil and floor");
    const double scale = std::pow(10.0, static_cast<double>(precision));
    return Value((method == "ceil" ? std::ceil(*number * scale) : std::floor(*number * scale)) / scale);
}

constexpr NamedBuiltin table[] = {
    {"abs", absolute},  {"capitalize", capitalize}, {"float", toDouble},  {"indent", indent},
    {"int", toInteger}, {"lower", lower},           {"replace", replace}, {"round", roundNumber},
    {"string", string}, {"title", title},           {"tojson", toJson},   {"trim", trim},
    {"upper", upper},
};

}  // namespace

std::span<const NamedBuiltin> textFilters() {
    return table;
}

}  // namespace spd::jinja
