#include <cmath>
#include <limits>

#include "core/text/jinja/runtime/operators.h"

namespace spd::jinja {
namespace {

using Op = ArithmeticOperator;

[[noreturn]] void refuseOperands(Op op, const Value& left, const Value& right) {
    for (const Value* side : {&left, &right})
        if (const auto* undefined = side->get<Undefined>())
            throw Fault(undefined->name ? "'" + *undefined->name + "' is undefined" : "a value is undefined");
    static constexpr const char* signs[] = {"+", "-", "*", "/", "//", "%", "**"};
    throw Fault(std::string("unsupported operand types for ") + signs[static_cast<size_t>(op)] + ": " +
                typeName(left) + " and " + typeName(right));
}

int64_t checkedPower(int64_t base, int64_t exponent) {
    int64_t result = 1;
    if (base == 0 || base == 1)
        return exponent == 0 ? 1 : base;
    if (base == -1)
        return exponent % 2 == 0 ? 1 : -1;
    for (; exponent > 0; --exponent)  // ends within 63 turns: |base| >= 2 overflows
        if (__builtin_mul_overflow(result, base, &result))
            throw Fault("an integer grows beyond 64 bits");
    return result;
}

Value doublePower(double base, double exponent) {
    if (base == 0 && exponent < 0)
        throw Fault("0 cannot be raised to a negative power");
    if (base < 0 && exponent != std::floor(exponent))
        throw Fault("a negative number cannot be raised to a fraction");
    const double result = std::pow(base, exponent);
    if (std::isinf(result) && !std::isinf(base) && !std::isinf(exponent))
        throw Fault("a power is too large");
    return Value(result);
}

/// Rounds to minus infinity, the remainder has the divisor's sign: as Python does.
Value floorDivide(Op op, int64_t left, int64_t right) {
    if (right == 0)
        throw Fault("division by zero");
    if (left == std::numeric_limits<int64_t>::min() && right == -1) {
        if (op == Op::modulo)
            return Value(int64_t{0});
        throw Fault("an integer grows beyond 64 bits");
    }
    const int64_t remainder = left % right;
    const bool adjust = remainder != 0 && (remainder < 0) != (right < 0);
    if (op == Op::modulo)
        return Value(adjust ? remainder + right : remainder);
    return Value(left / right - (adjust ? 1 : 0));
}

Value integerArithmetic(Op op, int64_t left, int64_t right) {
    int64_t result = 0;
    bool overflow = false;
    switch (op) {
        case Op::add:
            overflow = __builtin_add_overflow(left, right, &result);
            break;
        case Op::subtract:
            overflow = __builtin_sub_overflow(left, right, &result);
            break;
        case Op::multiply:
            overflow = __builtin_mul_overflow(left, right, &result);
            break;
        case Op::divide:
            if (right == 0)
                throw Fault("division by zero");
            return Value(static_cast<double>(left) / static_cast<double>(right));
        case Op::floor_divide:
        case Op::modulo:
            return floorDivide(op, left, right);
        case Op::power:
            if (right < 0)
                return doublePower(static_cast<double>(left), static_cast<double>(right));
            result = checkedPower(left, right);
            break;
    }
    if (overflow)
        throw Fault("an integer grows beyond 64 bits");
    return Value(result);
}

Value doubleArithmetic(Op op, double left, double right) {
    const bool divides = op == Op::divide || op == Op::floor_divide || op == Op::modulo;
    if (divides && right == 0)
        throw Fault("division by zero");
    switch (op) {
        case Op::add:
            return Value(left + right);
        case Op::subtract:
            return Value(left - right);
        case Op::multiply:
            return Value(left * right);
        case Op::divide:
            return Value(left / right);
        case Op::power:
            return doublePower(left, right);
        default:
            break;
    }
    double remainder = std::fmod(left, right);
    if (remainder != 0 && (remainder < 0) != (right < 0))
        remainder += right;
    if (op == Op::modulo)
        return Value(remainder == 0 ? std::copysign(0.0, right) : remainder);
    return Value(std::round((left - remainder) / right));
}

Value concatenate(Runtime& runtime, const Sequence& left, const Sequence& right) {
    runtime.meter.elements(left.items.size() + right.items.size());
    std::vector<Value> items = left.items;
    items.insert(items.end(), right.items.begin(), right.items.end());
    return makeSequence(left.kind, std::move(items));
}

/// text * count and list * count.
std::optional<Value> repeat(Runtime& runtime, const Value& value, int64_t count) {
    const size_t times = count > 0 ? static_cast<size_t>(count) : 0;
    if (const Text* text = value.asText()) {
        TextBuilder builder(runtime.meter);
        builder.repeat(*text, times);
        return Value::text(builder.take());
    }
    const Sequence* sequence = value.asSequence();
    if (!sequence || (sequence->kind != Sequence::Kind::list && sequence->kind != Sequence::Kind::tuple))
        return std::nullopt;
    if (!sequence->items.empty() && times > max_range / sequence->items.size())
        throw Fault("builds a list of more than 100,000 items by *");
    runtime.meter.elements(times * sequence->items.size());
    std::vector<Value> items;
    for (size_t i = 0; i < times && !sequence->items.empty(); ++i)
        items.insert(items.end(), sequence->items.begin(), sequence->items.end());
    return makeSequence(sequence->kind, std::move(items));
}

std::optional<Value> textOrListArithmetic(Runtime& runtime, Op op, const Value& left, const Value& right) {
    if (op == Op::add && left.asText() && right.asText()) {
        TextBuilder builder(runtime.meter);
        builder.append(*left.asText());
        builder.append(*right.asText());
        return Value::text(builder.take());
    }
    const Sequence* first = left.asSequence();
    const Sequence* second = right.asSequence();
    if (op == Op::add && first && second && first->kind == second->kind &&
        (first->kind == Sequence::Kind::list || first->kind == Sequence::Kind::tuple))
        return concatenate(runtime, *first, *second);
    if (op == Op::modulo && left.asText())
        throw Fault("formatting a string with % is not supported");
    if (op == Op::multiply) {
        if (const auto count = asInteger(right); count && !asNumber(left))
            return repeat(runtime, left, *count);
        if (const auto count = asInteger(left); count && !asNumber(right))
            return repeat(runtime, right, *count);
    }
    return std::nullopt;
}

}  // namespace

std::optional<int64_t> asInteger(const Value& value) {
    if (const auto* flag = value.get<bool>())
        return *flag ? 1 : 0;
    if (const auto* number = value.get<int64_t>())
        return *number;
    return std::nullopt;
}

std::optional<double> asNumber(const Value& value) {
    if (const auto* number = value.get<double>())
        return *number;
    if (const auto number = asInteger(value))
        return static_cast<double>(*number);
    return std::nullopt;
}

Value arithmetic(Runtime& runtime, Op op, const Value& left, const Value& right) {
    const auto left_integer = asInteger(left);
    const auto right_integer = asInteger(right);
    if (left_integer && right_integer)
        return integerArithmetic(op, *left_integer, *right_integer);
    const auto left_number = asNumber(left);
    const auto right_number = asNumber(right);
    if (left_number && right_number)
        return doubleArithmetic(op, *left_number, *right_number);
    if (auto result = textOrListArithmetic(runtime, op, left, right))
        return std::move(*result);
    refuseOperands(op, left, right);
}

Value negate(const Value& operand, bool is_minus) {
    if (const auto number = asInteger(operand)) {
        if (*number == std::numeric_limits<int64_t>::min() && is_minus)
            throw Fault("an integer grows beyond 64 bits");
        return Value(is_minus ? -*number : *number);
    }
    if (const auto* number = operand.get<double>())
        return Value(is_minus ? -*number : *number);
    throw Fault("a value of type " + typeName(operand) + " has no sign");
}

}  // namespace spd::jinja
