#include "core/text/jinja/builtins/builtins.h"

namespace spd::jinja {
namespace {

std::string nameArgument(const Arguments& arguments, size_t index, const char* what) {
    const Text* name = arguments.positional[index].asText();
    if (!name)
        throw Fault(std::string(what) + " must be named by a string");
    return name->bytes;
}

Arguments argumentsBehind(const Arguments& arguments, size_t used) {
    Arguments rest;
    rest.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(used),
                           arguments.positional.end());
    rest.named = arguments.named;
    return rest;
}

Value mapAttribute(Runtime& runtime, const Sequence& items, const Arguments& arguments) {
    const Parameters parameters("map", arguments, {"attribute", "default"}, 1);
    std::vector<Value> mapped;
    for (const Value& item : items.items) {
        runtime.meter.step();
        Value value = getPath(runtime, item, parameters.value(0));
        if (value.isUndefined() && parameters.has(1) && !parameters.value(1).isNone())
            value = parameters.value(1);
        mapped.push_back(std::move(value));
    }
    return makeSequence(Sequence::Kind::generator, std::move(mapped));
}

Value map(Runtime& runtime, const Value& input, const Arguments& arguments) {
    const auto items = iterate(runtime, input);
    if (arguments.positional.empty() && !arguments.named.empty())
        return mapAttribute(runtime, *items, arguments);
    if (arguments.positional.empty())
        throw Fault("map needs a filter or an attribute");
    const std::string name = nameArgument(arguments, 0, "map's filter");
    const Builtin filter = findFilter(name);
    if (!filter)
        throw Fault("unknown filter '" + name + "'");
    if (name == "map" || name == "select" || name == "reject" || name == "selectattr" || name == "rejectattr")
        throw Fault("map of the filter '" + name + "' is not supported");  // would nest without bound
    const Arguments rest = argumentsBehind(arguments, 1);
    std::vector<Value> mapped;
    for (const Value& item : items->items) {
        runtime.meter.step();
        mapped.push_back(filter(runtime, item, rest));
    }
    return makeSequence(Sequence::Kind::generator, std::move(mapped));
}

/// select, reject, selectattr and rejectattr.
Value choose(Runtime& runtime, const Value& input, const Arguments& arguments, bool by_attribute,
             bool wanted) {
    const size_t test_index = by_attribute ? 1 : 0;
    if (by_attribute && arguments.positional.empty())
        throw Fault("selectattr and rejectattr need an attribute");
    TestFunction test = nullptr;
    Arguments rest;
    if (arguments.positional.size() > test_index) {
        const std::string name = nameArgument(arguments, test_index, "the test");
        test = findTest(name);
        if (!test)
            throw Fault("unknown test '" + name + "'");
        rest = argumentsBehind(arguments, test_index + 1);
    }
    std::vector<Value> chosen;
    const auto source = iterate(runtime, input);
    for (const Value& item : source->items) {
        runtime.meter.step();
        const Value value = by_attribute ? getPath(runtime, item, arguments.positional[0]) : item;
        if ((test ? test(runtime, value, rest) : isTrue(value)) == wanted)
            chosen.push_back(item);
    }
    return makeSequence(Sequence::Kind::generator, std::move(chosen));
}

Value select(Runtime& runtime, const Value& input, const Arguments& arguments) {
    return choose(runtime, input, arguments, false, true);
}
Value reject(Runtime& runtime, const Value& input, const Arguments& arguments) {
    return choose(runtime, input, arguments, false, false);
}
Value selectAttribute(Runtime& runtime, const Value& input, const Arguments& arguments) {
    return choose(runtime, input, arguments, true, true);
}
Value rejectAttribute(Runtime& runtime, const Value& input, const Arguments& arguments) {
    return choose(runtime, input, arguments, true, false);
}

constexpr NamedBuiltin table[] = {
    {"map", map},
    {"reject", reject},
    {"rejectattr", rejectAttribute},
    {"select", select},
    {"selectattr", selectAttribute},
};

}  // namespace

std::span<const NamedBuiltin> selectionFilters() {
    return table;
}

}  // namespace spd::jinja
