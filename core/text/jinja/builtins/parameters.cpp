#include <algorithm>

#include "core/text/jinja/builtins/builtins.h"

namespace spd::jinja {

Parameters::Parameters(std::string_view callee, const Arguments& arguments,
                       std::initializer_list<std::string_view> names, size_t required)
    : callee_(callee), values_(names.size()) {
    if (arguments.positional.size() > names.size())
        throw Fault(callee_ + " takes at most " + std::to_string(names.size()) + " arguments");
    std::copy(arguments.positional.begin(), arguments.positional.end(), values_.begin());
    for (const auto& [name, value] : arguments.named) {
        const auto* found = std::find(names.begin(), names.end(), name);
        if (found == names.end())
            throw Fault(callee_ + " has no argument '" + name + "'");
        auto& slot = values_[static_cast<size_t>(found - names.begin())];
        if (slot)
            throw Fault(callee_ + " got the argument '" + name + "' twice");
        slot = value;
    }
    for (size_t i = 0; i < required; ++i)
        if (!values_[i])
            throw Fault(callee_ + " needs the argument '" + std::string(names.begin()[i]) + "'");
}

int64_t Parameters::integer(size_t index, int64_t fallback) const {
    if (!has(index) || values_[index]->isNone())
        return fallback;
    if (const auto number = asInteger(*values_[index]))
        return *number;
    throw Fault(callee_ + " needs an integer, not " + typeName(*values_[index]));
}

const Text* Parameters::text(size_t index) const {
    if (!has(index) || values_[index]->isNone())
        return nullptr;
    if (const Text* text = values_[index]->asText())
        return text;
    throw Fault(callee_ + " needs a string, not " + typeName(*values_[index]));
}

Builtin findFilter(std::string_view name) {
    for (const auto& table : {textFilters(), sequenceFilters(), selectionFilters()})
        for (const NamedBuiltin& entry : table)
            if (entry.name == name)
                return entry.function;
    return nullptr;
}

}  // namespace spd::jinja
