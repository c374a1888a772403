#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

using Kind = Sequence::Kind;

void takeNone(std::string_view name, const Arguments& arguments) {
    const Parameters parameters(name, arguments, {});
}

Value takeOne(std::string_view name, const Arguments& arguments) {
    return Parameters(name, arguments, {"other"}, 1).value(0);
}

/// Python's len and [] both work.
bool isSequence(const Value& value) {
    const Sequence* sequence = value.asSequence();
    return (sequence && sequence->kind != Kind::generator && sequence->kind != Kind::dict_view) ||
           value.asText() || value.asDict() || value.isUndefined();
}

bool isIterable(const Value& value) {
    return value.asSequence() || value.asText() || value.asDict() || value.isUndefined() ||
           value.get<std::shared_ptr<LoopState>>();
}

bool isCallable(const Value& value) {
    return value.isUndefined() || value.get<std::shared_ptr<const BoundBuiltin>>() ||
           value.get<std::shared_ptr<const Macro>>() || value.get<std::shared_ptr<LoopState>>();
}

bool isSame(const Value& left, const Value& right) {
    // Identity of other objects is an accident of Python's memory.
    const auto isSingleton = [](const Value& value) { return value.isNone() || value.get<bool>(); };
    if (!isSingleton(left) && !isSingleton(right))
        throw Fault("sameas is supported for true, false and none only");
    if (left.data().index() != right.data().index())
        return false;
    return left.isNone() || *left.get<bool>() == *right.get<bool>();
}

bool hasRemainder(Runtime& runtime, const Value& value, const Value& divisor, int64_t remainder) {
    const Value rest = arithmetic(runtime, ArithmeticOperator::modulo, value, divisor);
    return isEqual(runtime.meter, rest, Value(remainder));
}

template <ComparisonOperator op>
bool comparison(Runtime& runtime, const Value& value, const Arguments& arguments) {
    return compare(runtime, op, value, takeOne("a comparing test", arguments));
}

template <bool (*predicate)(const Value&)>
bool plain(Runtime&, const Value& value, const Arguments& arguments) {
    takeNone("the test", arguments);
    return predicate(value);
}

template <bool (*predicate)(std::string_view)>
bool onText(Runtime& runtime, const Value& value, const Arguments& arguments) {
    takeNone("the test", arguments);
    const Text text = toText(runtime.meter, value);
    runtime.meter.slowBytes(text.bytes.size());
    return predicate(text.bytes);
}

bool isDefined(const Value& value) {
    return !value.isUndefined();
}
bool isUndefined(const Value& value) {
    return value.isUndefined();
}
bool isNone(const Value& value) {
    return value.isNone();
}
bool isBoolean(const Value& value) {
    return value.get<bool>() != nullptr;
}
bool isExactlyTrue(const Value& value) {
    return value.get<bool>() && *value.get<bool>();
}
bool isExactlyFalse(const Value& value) {
    return value.get<bool>() && !*value.get<bool>();
}
bool isInteger(const Value& value) {
    return value.get<int64_t>() != nullptr;
}
bool isFloat(const Value& value) {
    return value.get<double>() != nullptr;
}
bool isNumber(const Value& value) {
    return asNumber(value).has_value();
}
bool isString(const Value& value) {
    return value.asText() != nullptr;
}
bool isMapping(const Value& value) {
    return value.asDict() != nullptr;
}

bool isOdd(Runtime& runtime, const Value& value, const Arguments& arguments) {
    takeNone("odd", arguments);
    return hasRemainder(runtime, value, Value(int64_t{2}), 1);
}
bool isEven(Runtime& runtime, const Value& value, const Arguments& arguments) {
    takeNone("even", arguments);
    return hasRemainder(runtime, value, Value(int64_t{2}), 0);
}
bool isDivisible(Runtime& runtime, const Value& value, const Arguments& arguments) {
    return hasRemainder(runtime, value, takeOne("divisibleby", arguments), 0);
}
bool isSameAs(Runtime&, const Value& value, const Arguments& arguments) {
    return isSame(value, takeOne("sameas", arguments));
}

struct NamedTest {
    std::string_view name;
    TestFunction function;
};

using Op = ComparisonOperator;
constexpr NamedTest table[] = {
    {"boolean", plain<isBoolean>},
    {"callable", plain<isCallable>},
    {"defined", plain<isDefined>},
    {"divisibleby", isDivisible},
    {"eq", comparison<Op::eq>},
    {"equalto", comparison<Op::eq>},
    {"==", comparison<Op::eq>},
    {"even", isEven},
    {"false", plain<isExactlyFalse>},
    {"float", plain<isFloat>},
    {"ge", comparison<Op::ge>},
    {">=", comparison<Op::ge>},
    {"greaterthan", comparison<Op::gt>},
    {"gt", comparison<Op::gt>},
    {">", comparison<Op::gt>},
    {"in", comparison<Op::in>},
    {"integer", plain<isInteger>},
    {"iterable", plain<isIterable>},
    {"le", comparison<Op::le>},
    {"<=", comparison<Op::le>},
    {"lessthan", comparison<Op::lt>},
    {"lower", onText<isLowerText>},
    {"lt", comparison<Op::lt>},
    {"<", comparison<Op::lt>},
    {"mapping", plain<isMapping>},
    {"ne", comparison<Op::ne>},
    {"!=", comparison<Op::ne>},
    {"none", plain<isNone>},
    {"number", plain<isNumber>},
    {"odd", isOdd},
    {"sameas", isSameAs},
    {"sequence", plain<isSequence>},
    {"string", plain<isString>},
    {"true", plain<isExactlyTrue>},
    {"undefined", plain<isUndefined>},
    {"upper", onText<isUpperText>},
};

}  // namespace

TestFunction findTest(std::string_view name) {
    for (const NamedTest& entry : table)
        if (entry.name == name)
            return entry.function;
    return nullptr;
}

}  // namespace spd::jinja
