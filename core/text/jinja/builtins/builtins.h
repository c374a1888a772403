#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/runtime/operators.h"
#include "core/text/jinja/runtime/runtime.h"

/// The filters, tests, methods and global functions of the language. Whatever is not listed there is refused
/// by name.
namespace spd::jinja {

using TestFunction = bool (*)(Runtime&, const Value& input, const Arguments&);

/// Null for names that the language lacks.
Builtin findFilter(std::string_view name);
TestFunction findTest(std::string_view name);
Builtin findGlobal(std::string_view name);

/// object.name where the type has attributes of its own: methods of str, dict and lists, what `loop` and
/// namespaces hold. nullopt: none of that name, so Jinja goes on to the items.
/// @throws Fault a Python attribute that the language lacks, by name
std::optional<Value> findAttribute(const Value& object, std::string_view name);

/// object.name and object[index] as Jinja's sandbox resolves them, and "a.b.0" as selectattr and map take it.
/// `name` of getAttribute must live as long as the result.
Value getAttribute(Runtime& runtime, const Value& object, const std::string& name);
Value getItem(Runtime& runtime, const Value& object, const Value& index);
Value getPath(Runtime& runtime, const Value& object, const Value& path);

/// json.dumps as transformers' tojson filter calls it.
Value toJson(Runtime& runtime, const Value& value, const Arguments& arguments);
/// strftime in the C locale. @throws Fault a directive that is not supported
std::string formatDate(const PinnedDate& date, std::string_view format);

/// Arguments sorted to parameters as Python does it: by position, then by name.
class Parameters {
public:
    /// @param required  how many of `names` must be given.
    /// @throws Fault naming `callee`: too many, unknown, twice given or missing arguments
    Parameters(std::string_view callee, const Arguments& arguments,
               std::initializer_list<std::string_view> names, size_t required = 0);

    bool has(size_t index) const { return values_[index].has_value(); }
    /// The value, or undefined when it was not given.
    Value value(size_t index) const { return values_[index].value_or(Value()); }
    bool flag(size_t index, bool fallback) const { return has(index) ? isTrue(*values_[index]) : fallback; }
    int64_t integer(size_t index, int64_t fallback) const;
    /// Null when it was not given or is none.
    const Text* text(size_t index) const;

private:
    std::string callee_;
    std::vector<std::optional<Value>> values_;
};

/// The object of a string's method.
const Text& selfText(const Value& self);

// The tables, each in the file of its subject.
struct NamedBuiltin {
    std::string_view name;
    Builtin function;
};
std::span<const NamedBuiltin> textFilters();
std::span<const NamedBuiltin> sequenceFilters();
std::span<const NamedBuiltin> selectionFilters();
std::span<const NamedBuiltin> textMethods();

/// Byte ranges of Python's splitlines, without the line ends.
std::vector<TextRange> splitLines(Meter& meter, std::string_view text);

/// Shared by filters and methods of the same name.
Value replaceText(Runtime& runtime, const Text& text, const Text& old_text, const Text& new_text,
                  int64_t count);
Value stripText(Runtime& runtime, const Text& text, const Text* characters, bool left, bool right);
/// Maps the whole text; content ranges are kept where the mapping kept every byte in place.
Value mapCase(Runtime& runtime, const Text& text, std::string (*mapping)(std::string_view));
/// Python's separator.join(items); `convert` makes items strings first, else they must be.
Value joinItems(Runtime& runtime, const std::vector<Value>& items, const Text& separator, bool convert);

}  // namespace spd::jinja
