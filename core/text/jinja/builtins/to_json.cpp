#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

/// Python's json.dumps. Its depth is that of the value, which is bounded.
class JsonWriter {
public:
    JsonWriter(Runtime& runtime, const Arguments& arguments)
        : meter_(runtime.meter),
          out_(runtime.meter),
          parameters_("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"}),
          ascii_(parameters_.flag(0, false)),
          sorts_(parameters_.flag(3, false)) {
        readIndent(runtime);
        item_separator_ = makeText(is_indented_ ? "," : ", ", false);
        key_separator_ = makeText(": ", false);
        readSeparators();
    }

    Text write(const Value& value) {
        append(value, 1);
        return out_.take();
    }

private:
    void readIndent(Runtime& runtime) {
        const Value indent = parameters_.value(1);
        if (indent.isUndefined() || indent.isNone())
            return;
        is_indented_ = true;
        if (indent.asText()) {
            margin_ = *indent.asText();
            return;
        }
        const int64_t width = parameters_.integer(1, 0);
        TextBuilder margin(runtime.meter);
        margin.repeat(makeText(" ", false), static_cast<size_t>(std::max<int64_t>(width, 0)));
        margin_ = margin.take();
    }

    void readSeparators() {
        const Value separators = parameters_.value(2);
        if (separators.isUndefined() || separators.isNone())
            return;
        const Sequence* pair = separators.asSequence();
        if (!pair || pair->items.size() != 2 || !pair->items[0].asText() || !pair->items[1].asText())
            throw Fault("tojson needs two strings as separators");
        item_separator_ = *pair->items[0].asText();
        key_separator_ = *pair->items[1].asText();
    }

    void append(const Value& value, size_t level) {
        meter_.step();
        if (const Text* text = value.asText())
            appendString(*text);
        else if (const Dict* dict = value.asDict())
            appendDict(*dict, level);
        else if (const Sequence* sequence = value.asSequence())
            appendSequence(*sequence, level);
        else
            out_.append(scalar(value));
    }

    std::string scalar(const Value& value) const {
        if (value.isNone())
            return "null";
        if (const auto* flag = value.get<bool>())
            return *flag ? "true" : "false";
        if (const auto* integer = value.get<int64_t>())
            return std::to_string(*integer);
        const auto* number = value.get<double>();
        if (!number)
            throw Fault("a value of type " + typeName(value) + " has no JSON form");
        if (std::isnan(*number))
            return "NaN";
        if (std::isinf(*number))
            return *number > 0 ? "Infinity" : "-Infinity";
        return reprDouble(*number);
    }

    void appendString(const Text& text) {
        meter_.slowBytes(text.bytes.size());
        std::string quoted = "\"";
        for (size_t i = 0; i < text.bytes.size() && quoted.size() <= max_output_bytes;) {
            const size_t begin = i;
            const char32_t c = nextCodePoint(text.bytes, i);
            if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || !ascii_))
                quoted.append(text.bytes, begin, i - begin);
            else
                quoted += escape(c);
        }
        out_.append(quoted + '"', text.hasContent());
    }

    static std::string escape(char32_t c) {
        static constexpr std::string_view plain = "\"\\\n\r\t\f\b";
        static constexpr std::string_view letters = "\"\\nrtfb";
        if (const size_t index = c < 0x80 ? plain.find(static_cast<char>(c)) : plain.npos;
            index != plain.npos)
            return {'\\', letters[index]};
        const auto number = static_cast<uint32_t>(c);
        if (number < 0x10000)
            return fmt::format("\\u{:04x}", number);
        return fmt::format("\\u{:04x}\\u{:04x}", 0xD7C0 + (number >> 10), 0xDC00 + (number & 0x3FF));
    }

    void appendLineBreak(size_t level) {
        if (!is_indented_)
            return;
        out_.append("\n");
        out_.repeat(margin_, level);
    }

    void appendSequence(const Sequence& sequence, size_t level) {
        if (sequence.kind != Sequence::Kind::list && sequence.kind != Sequence::Kind::tuple)
            throw Fault("a generator, range or dict view has no JSON form");
        out_.append("[");
        for (size_t i = 0; i < sequence.items.size(); ++i) {
            if (i)
                out_.append(item_separator_);
            appendLineBreak(level);
            append(sequence.items[i], level + 1);
        }
        if (!sequence.items.empty())
            appendLineBreak(level - 1);
        out_.append("]");
    }

    void appendDict(const Dict& dict, size_t level) {
        auto items = dict.items;
        meter_.elements(items.size());
        if (sorts_)
            std::stable_sort(items.begin(), items.end(), [this](const auto& a, const auto& b) {
                return isLess(meter_, a.first, b.first);
            });
        out_.append("{");
        for (size_t i = 0; i < items.size(); ++i) {
            if (i)
                out_.append(item_separator_);
            appendLineBreak(level);
            appendKey(items[i].first);
            out_.append(key_separator_);
            append(items[i].second, level + 1);
        }
        if (!items.empty())
            appendLineBreak(level - 1);
        out_.append("}");
    }

    void appendKey(const Value& key) {
        if (key.asText())
            appendString(*key.asText());
        else if (key.asSequence())
            throw Fault("a key of type " + typeName(key) + " has no JSON form");
        else
            appendString(makeText(scalar(key), false));
    }

    Meter& meter_;
    TextBuilder out_;
    Parameters parameters_;
    bool ascii_;
    bool sorts_;
    bool is_indented_ = false;
    Text margin_;
    Text item_separator_;
    Text key_separator_;
};

}  // namespace

Value toJson(Runtime& runtime, const Value& value, const Arguments& arguments) {
    return Value::text(JsonWriter(runtime, arguments).write(value));
}

}  // namespace spd::jinja
