#include <algorithm>

#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

/// startswith and endswith: one string or a tuple of them.
Value hasAffix(const Value& self, const Arguments& arguments, bool at_end) {
    const Parameters parameters(at_end ? "endswith" : "startswith", arguments, {"affix"}, 1);
    const std::string& text = selfText(self).bytes;
    const auto matches = [&](const Value& affix) {
        if (!affix.asText())
            throw Fault("startswith and endswith need strings, not " + typeName(affix));
        return at_end ? text.ends_with(affix.asText()->bytes) : text.starts_with(affix.asText()->bytes);
    };
    const Value affix = parameters.value(0);
    const Sequence* sequence = affix.asSequence();
    if (sequence && sequence->kind == Sequence::Kind::tuple)
        return Value(std::any_of(sequence->items.begin(), sequence->items.end(), matches));
    return Value(matches(affix));
}

Value startsWith(Runtime&, const Value& self, const Arguments& arguments) {
    return hasAffix(self, arguments, false);
}
Value endsWith(Runtime&, const Value& self, const Arguments& arguments) {
    return hasAffix(self, arguments, true);
}

template <bool left, bool right>
Value strip(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("strip", arguments, {"chars"});
    return stripText(runtime, selfText(self), parameters.text(0), left, right);
}

template <std::string (*mapping)(std::string_view)>
Value mapped(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("a case method", arguments, {});
    return mapCase(runtime, selfText(self), mapping);
}

Value replace(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("replace", arguments, {"old", "new", "count"}, 2);
    const Text* old_text = parameters.text(0);
    const Text* new_text = parameters.text(1);
    if (!old_text || !new_text)
        throw Fault("replace needs strings");
    return replaceText(runtime, selfText(self), *old_text, *new_text, parameters.integer(2, -1));
}

std::vector<Value> splitBySpace(Runtime& runtime, const Text& text, int64_t max_splits) {
    runtime.meter.slowBytes(text.bytes.size());
    std::vector<Value> parts;
    const std::string_view bytes = text.bytes;
    size_t at = 0;
    const auto skip = [&](bool spaces) {
        while (at < bytes.size()) {
            size_t next = at;
            if (isPythonSpace(nextCodePoint(bytes, next)) != spaces)
                break;
            at = next;
        }
    };
    for (skip(true); at < bytes.size(); skip(true)) {
        const size_t begin = at;
        runtime.meter.step();
        if (max_splits-- == 0) {
            const size_t end = begin + stripRange(bytes.substr(begin), nullptr, {false, true}).second;
            parts.push_back(Value::text(sliceText(text, begin, end)));
            break;
        }
        skip(false);
        parts.push_back(Value::text(sliceText(text, begin, at)));
    }
    return parts;
}

Value split(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("split", arguments, {"sep", "maxsplit"});
    const Text& text = selfText(self);
    const Text* separator = parameters.text(0);
    int64_t max_splits = parameters.integer(1, -1);
    if (!separator)
        return makeList(splitBySpace(runtime, text, max_splits));
    if (separator->bytes.empty())
        throw Fault("split needs a separator that is not empty");
    runtime.meter.search(text.bytes.size());
    std::vector<Value> parts;
    size_t at = 0;
    for (; max_splits != 0; --max_splits) {
        const size_t hit = findText(text.bytes, separator->bytes, at);
        if (hit == std::string::npos)
            break;
        runtime.meter.step(2);
        parts.push_back(Value::text(sliceText(text, at, hit)));
        at = hit + separator->bytes.size();
    }
    parts.push_back(Value::text(sliceText(text, at, text.bytes.size())));
    return makeList(std::move(parts));
}

Value splitIntoLines(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("splitlines", arguments, {});
    const Text& text = selfText(self);
    std::vector<Value> lines;
    for (const TextRange& line : splitLines(runtime.meter, text.bytes))
        lines.push_back(Value::text(sliceText(text, line.begin, line.end)));
    return makeList(std::move(lines));
}

Value join(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("join", arguments, {"iterable"}, 1);
    return joinItems(runtime, iterate(runtime, parameters.value(0))->items, selfText(self), false);
}

Value find(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("find", arguments, {"sub"}, 1);
    const std::string& text = selfText(self).bytes;
    const Text* needle = parameters.text(0);
    runtime.meter.slowBytes(text.size());
    const size_t hit = needle ? findText(text, needle->bytes) : throw Fault("find needs a string");
    if (hit == std::string::npos)
        return Value(int64_t{-1});
    return Value(static_cast<int64_t>(countCodePoints(std::string_view(text).substr(0, hit))));
}

Value count(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("count", arguments, {"sub"}, 1);
    const std::string& text = selfText(self).bytes;
    const Text* needle = parameters.text(0);
    if (!needle)
        throw Fault("count needs a string");
    runtime.meter.slowBytes(text.size());
    if (needle->bytes.empty())
        return Value(static_cast<int64_t>(countCodePoints(text)) + 1);
    int64_t hits = 0;
    for (size_t at = 0; (at = findText(text, needle->bytes, at)) != std::string::npos; ++hits)
        at += needle->bytes.size();
    return Value(hits);
}

template <bool at_end>
Value removeAffix(Runtime&, const Value& self, const Arguments& arguments) {
    const Parameters parameters(at_end ? "removesuffix" : "removeprefix", arguments, {"affix"}, 1);
    const Text& text = selfText(self);
    const Text* affix = parameters.text(0);
    if (!affix)
        throw Fault("removeprefix and removesuffix need a string");
    const size_t size = affix->bytes.size();
    if (at_end ? !text.bytes.ends_with(affix->bytes) : !text.bytes.starts_with(affix->bytes))
        return self;
    return Value::text(at_end ? sliceText(text, 0, text.bytes.size() - size)
                              : sliceText(text, size, text.bytes.size()));
}

constexpr NamedBuiltin table[] = {
    {"capitalize", mapped<capitalizeText>},
    {"count", count},
    {"endswith", endsWith},
    {"find", find},
    {"join", join},
    {"lower", mapped<lowerText>},
    {"lstrip", strip<true, false>},
    {"removeprefix", removeAffix<false>},
    {"removesuffix", removeAffix<true>},
    {"replace", replace},
    {"rstrip", strip<false, true>},
    {"split", split},
    {"splitlines", splitIntoLines},
    {"startswith", startsWith},
    {"strip", strip<true, true>},
    {"title", mapped<titleText>},
    {"upper", mapped<upperText>},
};

}  // namespace

std::span<const NamedBuiltin> textMethods() {
    return table;
}

}  // namespace spd::jinja
