#include "core/text/jinja/runtime/value.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/text/jinja/python/python_text.h"
#include "core/text/jinja/runtime/operators.h"
#include "core/text/jinja/runtime/runtime.h"

namespace spd::jinja {
namespace {

int depthOf(const Value& value) {
    if (const Sequence* sequence = value.asSequence())
        return sequence->depth;
    if (const Dict* dict = value.asDict())
        return dict->depth;
    if (const auto* loop = value.get<std::shared_ptr<LoopState>>())
        return (*loop)->items->depth;
    if (const auto* builtin = value.get<std::shared_ptr<const BoundBuiltin>>())
        return depthOf((*builtin)->self);
    return 0;  // the evaluator owns namespaces and the scopes of macros: they free nothing in turn
}

/// Containers deeper than the limit are never made, so walking and destroying a value needs little stack.
int depthAround(int depth, const Value& item) {
    depth = std::max(depth, depthOf(item) + 1);
    if (depth > max_value_depth)
        throw Fault("builds values nested deeper than 64");
    return depth;
}

}  // namespace

Value Value::text(std::string bytes, bool is_content) {
    return text(makeText(std::move(bytes), is_content));
}

Value makeSequence(Sequence::Kind kind, std::vector<Value> items) {
    auto sequence = std::make_shared<Sequence>();
    sequence->kind = kind;
    sequence->is_hashable = kind == Sequence::Kind::tuple;
    for (const Value& item : items) {
        sequence->depth = depthAround(sequence->depth, item);
        sequence->is_hashable = sequence->is_hashable && isHashable(item);
    }
    sequence->items = std::move(items);
    return Value(std::shared_ptr<const Sequence>(std::move(sequence)));
}

void setItem(Meter& meter, Dict& dict, const Value& key, Value value) {
    if (!isHashable(key))
        throw Fault("a value of type " + typeName(key) + " cannot be the key of a dict");
    dict.depth = depthAround(depthAround(dict.depth, key), value);
    meter.step(dict.items.size() / 2);
    for (auto& [known, old] : dict.items)
        if (isEqual(meter, known, key)) {
            old = std::move(value);
            return;
        }
    dict.items.emplace_back(key, std::move(value));
}

Value makeDict(Dict dict) {
    return Value(std::make_shared<const Dict>(std::move(dict)));
}

const Value* findItem(Meter& meter, const Dict& dict, const Value& key) {
    meter.elements(dict.items.size());
    for (const auto& [known, value] : dict.items)
        if (isEqual(meter, known, key))
            return &value;
    return nullptr;
}

const Value* findItem(Meter& meter, const Dict& dict, std::string_view key) {
    meter.elements(dict.items.size());
    for (const auto& [known, value] : dict.items)
        if (const Text* text = known.asText(); text && text->bytes == key)
            return &value;
    return nullptr;
}

Value fromJson(const nlohmann::ordered_json& json, bool is_content, int depth) {
    using Type = nlohmann::ordered_json::value_t;
    if (depth > max_value_depth)
        throw Fault("the conversation is nested deeper than 64");
    const auto text = [&](const std::string& bytes) {
        if (!isValidUtf8(bytes))
            throw Fault("the conversation has a string that is no UTF-8");
        return Value::text(bytes, is_content);
    };
    switch (json.type()) {
        case Type::null:
            return Value(None{});
        case Type::boolean:
            return Value(json.get<bool>());
        case Type::number_unsigned:
            if (json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
                throw Fault("the conversation has an integer beyond 64 bits");
            return Value(json.get<int64_t>());
        case Type::number_integer:
            return Value(json.get<int64_t>());
        case Type::number_float:
            return Value(json.get<double>());
        case Type::string:
            return text(json.get_ref<const std::string&>());
        case Type::array: {
            std::vector<Value> items;
            for (const auto& item : json)
                items.push_back(fromJson(item, is_content, depth + 1));
            return makeList(std::move(items));
        }
        case Type::object: {
            Dict dict;  // JSON objects have unique keys already
            for (const auto& [key, item] : json.items()) {
                dict.items.emplace_back(text(key), fromJson(item, is_content, depth + 1));
                dict.depth = depthAround(dict.depth, dict.items.back().second);
            }
            return makeDict(std::move(dict));
        }
        default:
            throw Fault("the conversation has a value that is no JSON");
    }
}

std::string typeName(const Value& value) {
    if (const Sequence* sequence = value.asSequence()) {
        static constexpr const char* names[] = {"list", "tuple", "range", "generator", "dict view"};
        return names[static_cast<size_t>(sequence->kind)];
    }
    static constexpr const char* names[] = {"undefined", "NoneType",  "bool",     "int",   "float", "str", "",
                                            "dict",      "namespace", "function", "macro", "loop"};
    return names[value.data().index()];
}

bool isTrue(const Value& value) {
    struct Truth {
        bool operator()(const Undefined&) const { return false; }
        bool operator()(const None&) const { return false; }
        bool operator()(bool flag) const { return flag; }
        bool operator()(int64_t number) const { return number != 0; }
        bool operator()(double number) const { return number != 0; }
        bool operator()(const std::shared_ptr<const Text>& text) const { return !text->bytes.empty(); }
        bool operator()(const std::shared_ptr<const Sequence>& sequence) const {
            return sequence->kind == Sequence::Kind::generator || !sequence->items.empty();
        }
        bool operator()(const std::shared_ptr<const Dict>& dict) const { return !dict->items.empty(); }
        bool operator()(const std::shared_ptr<Namespace>&) const { return true; }
        bool operator()(const std::shared_ptr<const BoundBuiltin>&) const { return true; }
        bool operator()(const std::shared_ptr<const Macro>&) const { return true; }
        bool operator()(const std::shared_ptr<LoopState>&) const { return true; }
    };
    return std::visit(Truth{}, value.data());
}

namespace {

std::vector<Value> characters(Meter& meter, const Text& text) {
    meter.step(text.bytes.size());
    std::vector<Value> items;
    for (size_t i = 0; i < text.bytes.size();) {
        const size_t begin = i;
        nextCodePoint(text.bytes, i);
        items.push_back(Value::text(sliceText(text, begin, i)));
    }
    return items;
}

}  // namespace

std::shared_ptr<const Sequence> iterate(Runtime& runtime, const Value& value) {
    if (const auto* sequence = value.get<std::shared_ptr<const Sequence>>()) {
        if ((*sequence)->kind != Sequence::Kind::generator)
            return *sequence;
        if ((*sequence)->consumed)
            return std::make_shared<const Sequence>();
        (*sequence)->consumed = true;
        return *sequence;
    }
    auto items = std::make_shared<Sequence>();
    if (const Dict* dict = value.asDict()) {
        runtime.meter.elements(dict->items.size());
        items->depth = dict->depth;
        for (const auto& [key, item] : dict->items)
            items->items.push_back(key);
    } else if (const Text* text = value.asText()) {
        items->items = characters(runtime.meter, *text);
    } else if (!value.isUndefined()) {
        throw Fault("a value of type " + typeName(value) + " cannot be iterated over");
    }
    return items;
}

bool isHashable(const Value& value) {
    if (const Sequence* sequence = value.asSequence())
        return sequence->is_hashable;
    return !value.asDict();
}

}  // namespace spd::jinja
