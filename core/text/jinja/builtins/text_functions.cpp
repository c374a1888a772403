#include <algorithm>
#include <limits>

#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

bool isAscii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool isLineEnd(char32_t c) {
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/// 'abc'.replace('', '-') is '-a-b-c-'.
Value insertBetween(Runtime& runtime, const Text& text, const Text& new_text, int64_t count) {
    runtime.meter.step(text.bytes.size());
    TextBuilder out(runtime.meter);
    size_t at = 0;
    for (; count > 0; --count) {
        out.append(new_text);
        if (at >= text.bytes.size())
            break;
        const size_t begin = at;
        nextCodePoint(text.bytes, at);
        out.append(text, begin, at);
    }
    out.append(text, at, text.bytes.size());
    return Value::text(out.take());
}

}  // namespace

const Text& selfText(const Value& self) {
    const Text* text = self.asText();
    if (!text)
        throw Fault("a method of str needs a string, not " + typeName(self));
    return *text;
}

Value replaceText(Runtime& runtime, const Text& text, const Text& old_text, const Text& new_text,
                  int64_t count) {
    if (count < 0)
        count = std::numeric_limits<int64_t>::max();
    if (old_text.bytes.empty())
        return insertBetween(runtime, text, new_text, count);
    runtime.meter.search(text.bytes.size());
    TextBuilder out(runtime.meter);
    size_t at = 0;
    for (; count > 0; --count) {
        const size_t hit = findText(text.bytes, old_text.bytes, at);
        if (hit == std::string::npos)
            break;
        runtime.meter.step(2);
        out.append(text, at, hit);
        out.append(new_text);
        at = hit + old_text.bytes.size();
    }
    out.append(text, at, text.bytes.size());
    return Value::text(out.take());
}

Value stripText(Runtime& runtime, const Text& text, const Text* characters, bool left, bool right) {
    runtime.meter.bytes(text.bytes.size());
    std::string_view set;
    if (characters) {
        runtime.meter.step(characters->bytes.size() / 2);  // they are sorted
        set = characters->bytes;
    }
    const auto [begin, end] = stripRange(text.bytes, characters ? &set : nullptr, {left, right});
    runtime.meter.slowBytes(text.bytes.size() - (end - begin));
    return Value::text(sliceText(text, begin, end));
}

Value mapCase(Runtime& runtime, const Text& text, std::string (*mapping)(std::string_view)) {
    runtime.meter.step(text.bytes.size() / 7);
    Text mapped = makeText(mapping(text.bytes), text.hasContent());
    if (mapped.bytes.size() > max_output_bytes)
        throw Fault("builds a string of more than 8 MiB");
    if (isAscii(text.bytes))
        mapped.content = text.content;
    return Value::text(std::move(mapped));
}

Value joinItems(Runtime& runtime, const std::vector<Value>& items, const Text& separator, bool convert) {
    TextBuilder out(runtime.meter);
    for (size_t i = 0; i < items.size(); ++i) {
        runtime.meter.step();
        if (i)
            out.append(separator);
        if (const Text* text = items[i].asText())
            out.append(*text);
        else if (convert)
            out.append(toText(runtime.meter, items[i]));
        else
            throw Fault("join of a str needs strings, found " + typeName(items[i]));
    }
    return Value::text(out.take());
}

std::vector<TextRange> splitLines(Meter& meter, std::string_view text) {
    meter.slowBytes(text.size());
    std::vector<TextRange> lines;
    size_t begin = 0;
    for (size_t i = 0; i < text.size();) {
        const size_t end = i;
        const char32_t c = nextCodePoint(text, i);
        if (!isLineEnd(c))
            continue;
        if (c == '\r' && i < text.size() && text[i] == '\n')
            ++i;
        meter.step();
        lines.push_back({begin, end});
        begin = i;
    }
    if (begin < text.size())
        lines.push_back({begin, text.size()});
    return lines;
}

}  // namespace spd::jinja
