#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/text/jinja/runtime/text.h"

namespace spd::jinja {

class Value;
struct Runtime;
struct Arguments;
struct Scope;
struct For;
struct MacroStatement;

/// Not there. `name` (may be null) is what was looked up; it lives in the syntax tree.
struct Undefined {
    const std::string* name = nullptr;
};
struct None {};

/// Everything one can iterate over that is no string and no dict. Only lists and tuples have a text form; a
/// generator (map, select, items...) can be walked once, as in Python.
struct Sequence {
    enum class Kind : uint8_t { list, tuple, range, generator, dict_view };
    Kind kind = Kind::list;
    int depth = 1;             // 1 + the deepest item
    bool is_hashable = false;  // a tuple of hashable items
    mutable bool consumed = false;
    std::vector<Value> items;
};
/// Insertion order; keys are unique and hashable in Python's sense.
struct Dict {
    int depth = 1;
    std::vector<std::pair<Value, Value>> items;
};
/// The one mutable value. Counts as depth 1: nothing walks into it.
struct Namespace {
    std::vector<std::pair<std::string, Value>> attributes;
};
/// A function, filter or method of the language itself.
using Builtin = Value (*)(Runtime&, const Value& self, const Arguments&);
struct BoundBuiltin;
struct Macro {
    const MacroStatement* definition;
    std::shared_ptr<Scope> scope;  // where it was defined
};
struct LoopState;

class Value {
public:
    using Variant = std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const Text>,
                                 std::shared_ptr<const Sequence>, std::shared_ptr<const Dict>,
                                 std::shared_ptr<Namespace>, std::shared_ptr<const BoundBuiltin>,
                                 std::shared_ptr<const Macro>, std::shared_ptr<LoopState>>;

    Value() = default;  // undefined
    template <typename T>
    explicit Value(T data) : data_(std::move(data)) {}

    static Value text(std::string bytes, bool is_content = false);
    static Value text(Text text) { return Value(std::make_shared<const Text>(std::move(text))); }

    template <typename T>
    const T* get() const {
        return std::get_if<T>(&data_);
    }
    const Text* asText() const { return pointee<const Text>(); }
    const Sequence* asSequence() const { return pointee<const Sequence>(); }
    const Dict* asDict() const { return pointee<const Dict>(); }

    bool isUndefined() const { return get<Undefined>() != nullptr; }
    bool isNone() const { return get<None>() != nullptr; }
    const Variant& data() const { return data_; }

private:
    template <typename T>
    const T* pointee() const {
        const auto* pointer = std::get_if<std::shared_ptr<T>>(&data_);
        return pointer ? pointer->get() : nullptr;
    }
    Variant data_;
};

struct BoundBuiltin {
    std::string name;
    Builtin function;
    Value self;
};

/// `loop` inside a for: the items and where it stands.
struct LoopState {
    std::shared_ptr<const Sequence> items;
    size_t index = 0;
    int depth = 0;                   // of recursive loops, from 0
    const For* statement = nullptr;  // what loop(...) runs again; null for loops that are not recursive
    std::shared_ptr<Scope> scope;    // around the loop; set for recursive loops
};

struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
};

/// A sequence of `items`. @throws Fault nested deeper than max_value_depth
Value makeSequence(Sequence::Kind kind, std::vector<Value> items);
inline Value makeList(std::vector<Value> items) {
    return makeSequence(Sequence::Kind::list, std::move(items));
}

/// Appends; a key that is there already gets the new value. @throws Fault unhashable key
void setItem(Meter& meter, Dict& dict, const Value& key, Value value);
Value makeDict(Dict dict);
/// Null when absent or when `key` cannot be a key.
const Value* findItem(Meter& meter, const Dict& dict, const Value& key);

/// The same for a string key.
const Value* findItem(Meter& meter, const Dict& dict, std::string_view key);

/// JSON to a value; strings count as content where `is_content`. @throws Fault too deep, an integer beyond 64
/// bits, invalid UTF-8
Value fromJson(const nlohmann::ordered_json& json, bool is_content, int depth = 0);

/// Python's name of the type: "str", "dict", "int".
std::string typeName(const Value& value);
/// Python's bool(value).
bool isTrue(const Value& value);
/// Python's iter(value), at once. @throws Fault not iterable
std::shared_ptr<const Sequence> iterate(Runtime& runtime, const Value& value);
bool isHashable(const Value& value);

}  // namespace spd::jinja
