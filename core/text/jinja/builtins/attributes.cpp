#include <algorithm>
#include <charconv>

#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

using Kind = Sequence::Kind;

// Attributes of Python's types. They come before a dict's items, so one that the language lacks is refused:
// taking it for an item or for undefined would render something else than Jinja does.
constexpr std::string_view text_names[] = {
    "capitalize", "casefold",     "center",       "count",   "encode",     "endswith",    "expandtabs",
    "find",       "format",       "format_map",   "index",   "isalnum",    "isalpha",     "isascii",
    "isdecimal",  "isdigit",      "isidentifier", "islower", "isnumeric",  "isprintable", "isspace",
    "istitle",    "isupper",      "join",         "ljust",   "lower",      "lstrip",      "maketrans",
    "partition",  "removeprefix", "removesuffix", "replace", "rfind",      "rindex",      "rjust",
    "rpartition", "rsplit",       "rstrip",       "split",   "splitlines", "startswith",  "strip",
    "swapcase",   "title",        "translate",    "upper",   "zfill"};
constexpr std::string_view list_names[] = {"append", "clear", "copy",   "count",   "extend", "index",
                                           "insert", "pop",   "remove", "reverse", "sort"};
constexpr std::string_view tuple_names[] = {"count", "index"};
constexpr std::string_view dict_names[] = {"clear", "copy",    "fromkeys",   "get",    "items", "keys",
                                           "pop",   "popitem", "setdefault", "update", "values"};
constexpr std::string_view number_names[] = {
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator",
    "from_bytes",       "fromhex",   "hex",        "imag",      "is_integer",
    "numerator",        "real",      "to_bytes"};
constexpr std::string_view range_names[] = {"count", "index", "start", "step", "stop"};
constexpr std::string_view loop_names[] = {"changed"};
constexpr std::string_view macro_names[] = {"name",         "arguments",     "caller",
                                            "catch_kwargs", "catch_varargs", "explicit_caller"};

std::span<const std::string_view> pythonNames(const Value& object) {
    if (object.asText())
        return text_names;
    if (object.asDict())
        return dict_names;
    if (asNumber(object))
        return number_names;
    if (object.get<std::shared_ptr<LoopState>>())
        return loop_names;
    if (object.get<std::shared_ptr<const Macro>>())
        return macro_names;
    const Sequence* sequence = object.asSequence();
    if (!sequence)
        return {};
    return sequence->kind == Kind::list    ? std::span<const std::string_view>(list_names)
           : sequence->kind == Kind::tuple ? std::span<const std::string_view>(tuple_names)
           : sequence->kind == Kind::range ? std::span<const std::string_view>(range_names)
                                           : std::span<const std::string_view>();
}

Value bind(std::string_view name, Builtin function, const Value& self) {
    return Value(std::make_shared<const BoundBuiltin>(BoundBuiltin{std::string(name), function, self}));
}

Value dictGet(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("get", arguments, {"key", "default"}, 1);
    if (!isHashable(parameters.value(0)))
        throw Fault("a value of type " + typeName(parameters.value(0)) + " cannot be the key of a dict");
    if (const Value* item = findItem(runtime.meter, *self.asDict(), parameters.value(0)))
        return *item;
    return parameters.has(1) ? parameters.value(1) : Value(None{});
}

Value dictItems(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("items", arguments, {});
    std::vector<Value> pairs;
    runtime.meter.step(self.asDict()->items.size());
    for (const auto& [key, value] : self.asDict()->items)
        pairs.push_back(makeSequence(Kind::tuple, {key, value}));
    return makeSequence(Kind::dict_view, std::move(pairs));
}

Value dictKeys(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("keys", arguments, {});
    return makeSequence(Kind::dict_view, iterate(runtime, self)->items);
}

Value dictValues(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Parameters parameters("values", arguments, {});
    std::vector<Value> values;
    runtime.meter.elements(self.asDict()->items.size());
    for (const auto& [key, value] : self.asDict()->items)
        values.push_back(value);
    return makeSequence(Kind::dict_view, std::move(values));
}

Value dictCopy(Runtime&, const Value& self, const Arguments& arguments) {
    const Parameters parameters("copy", arguments, {});
    return self;  // dicts never change
}

constexpr NamedBuiltin dict_methods[] = {
    {"copy", dictCopy}, {"get", dictGet}, {"items", dictItems}, {"keys", dictKeys}, {"values", dictValues}};

Value loopCycle(Runtime&, const Value& self, const Arguments& arguments) {
    const auto& loop = *self.get<std::shared_ptr<LoopState>>();
    if (arguments.positional.empty() || !arguments.named.empty())
        throw Fault("loop.cycle needs values");
    return arguments.positional[loop->index % arguments.positional.size()];
}

std::optional<Value> loopAttribute(const Value& object, const LoopState& loop, std::string_view name) {
    const auto& items = loop.items->items;
    const auto number = [](size_t value) { return Value(static_cast<int64_t>(value)); };
    if (name == "index")
        return number(loop.index + 1);
    if (name == "index0")
        return number(loop.index);
    if (name == "revindex")
        return number(items.size() - loop.index);
    if (name == "revindex0")
        return number(items.size() - loop.index - 1);
    if (name == "first")
        return Value(loop.index == 0);
    if (name == "last")
        return Value(loop.index + 1 == items.size());
    if (name == "length")
        return number(items.size());
    if (name == "depth")
        return Value(static_cast<int64_t>(loop.depth + 1));
    if (name == "depth0")
        return Value(static_cast<int64_t>(loop.depth));
    if (name == "previtem")
        return loop.index > 0 ? items[loop.index - 1] : Value();
    if (name == "nextitem")
        return loop.index + 1 < items.size() ? items[loop.index + 1] : Value();
    if (name == "cycle")
        return bind(name, loopCycle, object);
    return std::nullopt;
}

std::optional<Value> supportedAttribute(const Value& object, std::string_view name) {
    std::span<const NamedBuiltin> methods;
    if (object.asText())
        methods = textMethods();
    else if (object.asDict())
        methods = dict_methods;
    for (const NamedBuiltin& method : methods)
        if (method.name == name)
            return bind(name, method.function, object);
    if (const auto* loop = object.get<std::shared_ptr<LoopState>>())
        return loopAttribute(object, **loop, name);
    if (const auto* space = object.get<std::shared_ptr<Namespace>>())
        for (const auto& [key, value] : (*space)->attributes)
            if (key == name)
                return value;
    return std::nullopt;
}

}  // namespace

std::optional<Value> findAttribute(const Value& object, std::string_view name) {
    if (name.starts_with("__"))
        return Value();  // the sandbox shows nothing of Python's objects
    if (auto value = supportedAttribute(object, name))
        return value;
    const auto names = pythonNames(object);
    if (std::find(names.begin(), names.end(), name) != names.end())
        throw Fault("'" + std::string(name) + "' of " + typeName(object) + " is not supported");
    return std::nullopt;
}

Value getAttribute(Runtime& runtime, const Value& object, const std::string& name) {
    if (const auto* undefined = object.get<Undefined>())
        throw Fault(undefined->name ? "'" + *undefined->name + "' is undefined" : "a value is undefined");
    if (const auto* space = object.get<std::shared_ptr<Namespace>>())
        runtime.meter.elements((*space)->attributes.size());
    if (auto value = findAttribute(object, name))
        return value->isUndefined() ? Value(Undefined{&name}) : std::move(*value);
    if (const Dict* dict = object.asDict())
        if (const Value* item = findItem(runtime.meter, *dict, name))
            return *item;
    return Value(Undefined{&name});
}

Value getItem(Runtime& runtime, const Value& object, const Value& index) {
    Value item = subscript(runtime, object, index);
    if (!item.isUndefined() || !index.asText())
        return item;
    // A dict may hold an undefined value under this key; then the attribute must not be asked.
    const Dict* dict = object.asDict();
    if (dict && findItem(runtime.meter, *dict, index))
        return item;
    return findAttribute(object, index.asText()->bytes).value_or(Value());
}

Value getPath(Runtime& runtime, const Value& object, const Value& path) {
    const Text* text = path.asText();
    if (!text)
        return getItem(runtime, object, path);
    Value value = object;
    const std::string_view parts = text->bytes;
    for (size_t begin = 0; begin <= parts.size();) {
        const size_t end = std::min(parts.find('.', begin), parts.size());
        const std::string_view part = parts.substr(begin, end - begin);
        runtime.meter.step();
        int64_t index = 0;
        const bool is_number =
            !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos &&
            std::from_chars(part.data(), part.data() + part.size(), index).ec == std::errc();
        value = getItem(runtime, value, is_number ? Value(index) : Value::text(std::string(part)));
        begin = end + 1;
    }
    return value;
}

}  // namespace spd::jinja
