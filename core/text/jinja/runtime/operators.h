#pragma once

#include <optional>
#include <string>

#include "core/text/jinja/runtime/runtime.h"

/// Python's operators on template values. Integers have 64 bits; a result beyond them is refused.
namespace spd::jinja {

enum class ArithmeticOperator : uint8_t { add, subtract, multiply, divide, floor_divide, modulo, power };
enum class ComparisonOperator : uint8_t { eq, ne, lt, le, gt, ge, in, not_in };

bool isEqual(Meter& meter, const Value& left, const Value& right);
/// left < right. @throws Fault types that Python does not order
bool isLess(Meter& meter, const Value& left, const Value& right);
/// item in container.
bool contains(Runtime& runtime, const Value& container, const Value& item);

Value arithmetic(Runtime& runtime, ArithmeticOperator op, const Value& left, const Value& right);
Value negate(const Value& operand, bool is_minus);
bool compare(Runtime& runtime, ComparisonOperator op, const Value& left, const Value& right);

/// object[index] with Jinja's rules: undefined where Python raises LookupError or TypeError.
Value subscript(Runtime& runtime, const Value& object, const Value& index);
/// object[start:stop:step]; parts that are none are absent; undefined for objects that cannot be sliced.
Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);

/// str(value), as printing does it.
Text toText(Meter& meter, const Value& value);

/// The number of an int or bool.
std::optional<int64_t> asInteger(const Value& value);
/// The number of an int, bool or float.
std::optional<double> asNumber(const Value& value);

}  // namespace spd::jinja
