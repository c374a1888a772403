#include <algorithm>

#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

Value defaultValue(Runtime&, const Value& input, const Arguments& arguments) {
    const Parameters parameters("default", arguments, {"default_value", "boolean"});
    const bool replaces = input.isUndefined() || (parameters.flag(1, false) && !isTrue(input));
    if (!replaces)
        return input;
    return parameters.has(0) ? parameters.value(0) : Value::text("");
}

Value length(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("length", arguments, {});
    size_t count = 0;
    if (const Text* text = input.asText()) {
        runtime.meter.bytes(text->bytes.size());
        count = countCodePoints(text->bytes);
    } else if (const Dict* dict = input.asDict()) {
        count = dict->items.size();
    } else if (const Sequence* sequence = input.asSequence();
               sequence && sequence->kind != Sequence::Kind::generator) {
        count = sequence->items.size();
    } else if (!input.isUndefined()) {
        throw Fault("a value of type " + typeName(input) + " has no length");
    }
    return Value(static_cast<int64_t>(count));
}

Value list(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("list", arguments, {});
    const auto items = iterate(runtime, input);
    runtime.meter.elements(items->items.size());
    return makeList(items->items);
}

Value first(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("first", arguments, {});
    const auto items = iterate(runtime, input);
    return items->items.empty() ? Value() : items->items.front();
}

Value last(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("last", arguments, {});
    if (const Sequence* sequence = input.asSequence();
        sequence && sequence->kind == Sequence::Kind::generator)
        throw Fault("last needs a sequence, not a generator");
    const auto items = iterate(runtime, input);
    return items->items.empty() ? Value() : items->items.back();
}

Value reverse(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("reverse", arguments, {});
    if (input.asText())
        return slice(runtime, input, Value(None{}), Value(None{}), Value(int64_t{-1}));
    std::vector<Value> items = iterate(runtime, input)->items;
    runtime.meter.elements(items.size());
    std::reverse(items.begin(), items.end());
    return makeSequence(Sequence::Kind::generator, std::move(items));
}

Value join(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("join", arguments, {"d", "attribute"});
    std::vector<Value> items = iterate(runtime, input)->items;
    runtime.meter.elements(items.size());
    if (parameters.has(1) && !parameters.value(1).isNone())
        for (Value& item : items)
            item = getPath(runtime, item, parameters.value(1));
    return joinItems(runtime, items, toText(runtime.meter, parameters.value(0)), true);
}

Value items(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("items", arguments, {});
    std::vector<Value> pairs;
    if (const Dict* dict = input.asDict()) {
        runtime.meter.step(dict->items.size());
        for (const auto& [key, value] : dict->items)
            pairs.push_back(makeSequence(Sequence::Kind::tuple, {key, value}));
    } else if (!input.isUndefined()) {
        throw Fault("items needs a dict, not " + typeName(input));
    }
    return makeSequence(Sequence::Kind::generator, std::move(pairs));
}

/// What is compared: the item or what lies at a path in it, in lower case unless the case counts.
Value sortKey(Runtime& runtime, const Value& item, const Value& path, bool case_sensitive) {
    Value key = path.isNone() || path.isUndefined() ? item : getPath(runtime, item, path);
    if (const Text* text = key.asText(); text && !case_sensitive)
        return mapCase(runtime, *text, lowerText);
    return key;
}

struct Keyed {
    Value key;
    Value item;
};

std::vector<Value> sortByKey(Runtime& runtime, std::vector<Keyed> keyed, bool is_reverse) {
    // Python keeps the order of equal items for reverse, too.
    std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
        return is_reverse ? isLess(runtime.meter, b.key, a.key) : isLess(runtime.meter, a.key, b.key);
    });
    std::vector<Value> sorted;
    for (Keyed& entry : keyed)
        sorted.push_back(std::move(entry.item));
    return sorted;
}

Value sort(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("sort", arguments, {"reverse", "case_sensitive", "attribute"});
    if (const Text* path = parameters.value(2).asText(); path && path->bytes.find(',') != std::string::npos)
        throw Fault("sort by several attributes is not supported");
    std::vector<Keyed> keyed;
    const auto source = iterate(runtime, input);
    for (const Value& item : source->items) {
        runtime.meter.step();
        keyed.push_back({sortKey(runtime, item, parameters.value(2), parameters.flag(1, false)), item});
    }
    return makeList(sortByKey(runtime, std::move(keyed), parameters.flag(0, false)));
}

Value dictSort(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("dictsort", arguments, {"case_sensitive", "by", "reverse"});
    const std::string by = parameters.text(1) ? parameters.text(1)->bytes : "key";
    const Dict* dict = input.asDict();
    if (!dict || (by != "key" && by != "value"))
        throw Fault("dictsort needs a dict, sorted by 'key' or 'value'");
    std::vector<Keyed> keyed;
    for (const auto& [key, value] : dict->items) {
        runtime.meter.step();
        keyed.push_back({sortKey(runtime, by == "key" ? key : value, Value(), parameters.flag(0, false)),
                         makeSequence(Sequence::Kind::tuple, {key, value})});
    }
    return makeList(sortByKey(runtime, std::move(keyed), parameters.flag(2, false)));
}

Value unique(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("unique", arguments, {"case_sensitive", "attribute"});
    std::vector<Value> seen;
    std::vector<Value> kept;
    const auto source = iterate(runtime, input);
    for (const Value& item : source->items) {
        Value key = sortKey(runtime, item, parameters.value(1), parameters.flag(0, false));
        if (!isHashable(key))
            throw Fault("unique needs values that can be the key of a dict, found " + typeName(key));
        runtime.meter.step(1 + seen.size() / 2);
        const bool is_known = std::any_of(
            seen.begin(), seen.end(), [&](const Value& other) { return isEqual(runtime.meter, key, other); });
        if (is_known)
            continue;
        seen.push_back(std::move(key));
        kept.push_back(item);
    }
    return makeSequence(Sequence::Kind::generator, std::move(kept));
}

Value extreme(Runtime& runtime, const Value& input, const Arguments& arguments, bool is_max) {
    const Parameters parameters(is_max ? "max" : "min", arguments, {"case_sensitive", "attribute"});
    Value best, best_key;
    bool has_best = false;
    const auto source = iterate(runtime, input);
    for (const Value& item : source->items) {
        Value key = sortKey(runtime, item, parameters.value(1), parameters.flag(0, false));
        const bool is_better = !has_best || (is_max ? isLess(runtime.meter, best_key, key)
                                                    : isLess(runtime.meter, key, best_key));
        if (!is_better)
            continue;
        has_best = true;
        best = item;
        best_key = std::move(key);
    }
    return best;
}

Value minimum(Runtime& runtime, const Value& input, const Arguments& arguments) {
    return extreme(runtime, input, arguments, false);
}

Value maximum(Runtime& runtime, const Value& input, const Arguments& arguments) {
    return extreme(runtime, input, arguments, true);
}

Value sum(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const Parameters parameters("sum", arguments, {"attribute", "start"});
    Value total = parameters.has(1) ? parameters.value(1) : Value(int64_t{0});
    if (total.asText())
        throw Fault("sum adds no strings");
    const bool has_path = parameters.has(0) && !parameters.value(0).isNone();
    const auto source = iterate(runtime, input);
    for (const Value& item : source->items) {
        runtime.meter.step();
        const Value part = has_path ? getPath(runtime, item, parameters.value(0)) : item;
        total = arithmetic(runtime, ArithmeticOperator::add, total, part);
    }
    return total;
}

constexpr NamedBuiltin table[] = {
    {"count", length},      {"d", defaultValue}, {"default", defaultValue},
    {"dictsort", dictSort}, {"first", first},    {"items", items},
    {"join", join},         {"last", last},      {"length", length},
    {"list", list},         {"max", maximum},    {"min", minimum},
    {"reverse", reverse},   {"sort", sort},      {"sum", sum},
    {"unique", unique},
};

}  // namespace

std::span<const NamedBuiltin> sequenceFilters() {
    return table;
}

}  // namespace spd::jinja
