#include "core/text/jinja/runtime/operators.h"

#include <algorithm>
#include <cmath>

#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {
namespace {

bool isExactlyEqual(int64_t integer, double number) {
    // 2^63 is the first double that no int64 reaches.
    return number >= -0x1p63 && number < 0x1p63 && std::floor(number) == number &&
           static_cast<int64_t>(number) == integer;
}

bool isEqualNumber(const Value& left, const Value& right) {
    const auto left_integer = asInteger(left);
    const auto right_integer = asInteger(right);
    if (left_integer && right_integer)
        return *left_integer == *right_integer;
    if (left_integer)
        return isExactlyEqual(*left_integer, *right.get<double>());
    if (right_integer)
        return isExactlyEqual(*right_integer, *left.get<double>());
    return *left.get<double>() == *right.get<double>();
}

bool isEqualSequence(Meter& meter, const Sequence& left, const Sequence& right) {
    if (left.kind != right.kind)
        return false;
    if (left.kind == Sequence::Kind::generator || left.kind == Sequence::Kind::dict_view)
        return &left == &right;
    if (left.items.size() != right.items.size())
        return false;
    meter.step(1 + left.items.size() / 4);
    return std::equal(left.items.begin(), left.items.end(), right.items.begin(), right.items.end(),
                      [&meter](const Value& a, const Value& b) { return isEqual(meter, a, b); });
}

bool isEqualDict(Meter& meter, const Dict& left, const Dict& right) {
    if (left.items.size() != right.items.size())
        return false;
    for (const auto& [key, value] : left.items) {
        const Value* other = findItem(meter, right, key);
        if (!other || !isEqual(meter, value, *other))
            return false;
    }
    return true;
}

bool isLessSequence(Meter& meter, const Sequence& left, const Sequence& right) {
    const size_t common = std::min(left.items.size(), right.items.size());
    meter.elements(common);
    for (size_t i = 0; i < common; ++i)
        if (!isEqual(meter, left.items[i], right.items[i]))
            return isLess(meter, left.items[i], right.items[i]);
    return left.items.size() < right.items.size();
}

}  // namespace

bool isEqual(Meter& meter, const Value& left, const Value& right) {
    const auto* integer = left.get<int64_t>();  // the common case first: long lists of numbers
    if (const auto* other = right.get<int64_t>(); integer && other)
        return *integer == *other;
    if (asNumber(left) && asNumber(right))
        return isEqualNumber(left, right);
    if (left.data().index() != right.data().index())
        return false;
    if (const Text* text = left.asText()) {
        const Text* other = right.asText();
        if (text == other)
            return true;
        if (text->bytes.size() != other->bytes.size())
            return false;
        meter.bytes(text->bytes.size());
        return text->bytes == other->bytes;
    }
    if (const Sequence* sequence = left.asSequence())
        return isEqualSequence(meter, *sequence, *right.asSequence());
    if (const Dict* dict = left.asDict())
        return isEqualDict(meter, *dict, *right.asDict());
    if (left.isNone() || left.isUndefined())
        return true;
    // The rest is compared by identity.
    if (const auto* space = left.get<std::shared_ptr<Namespace>>())
        return *space == *right.get<std::shared_ptr<Namespace>>();
    if (const auto* loop = left.get<std::shared_ptr<LoopState>>())
        return *loop == *right.get<std::shared_ptr<LoopState>>();
    if (const auto* macro = left.get<std::shared_ptr<const Macro>>())
        return *macro == *right.get<std::shared_ptr<const Macro>>();
    return left.get<std::shared_ptr<const BoundBuiltin>>()->get() ==
           right.get<std::shared_ptr<const BoundBuiltin>>()->get();
}

bool isLess(Meter& meter, const Value& left, const Value& right) {
    meter.step();
    const auto left_integer = asInteger(left);
    const auto right_integer = asInteger(right);
    if (left_integer && right_integer)
        return *left_integer < *right_integer;
    const auto left_number = asNumber(left);
    const auto right_number = asNumber(right);
    if (left_number && right_number)
        return *left_number < *right_number;
    if (left.asText() && right.asText()) {
        meter.bytes(std::min(left.asText()->bytes.size(), right.asText()->bytes.size()));
        return left.asText()->bytes < right.asText()->bytes;  // UTF-8 sorts as its code points do
    }
    const Sequence* first = left.asSequence();
    const Sequence* second = right.asSequence();
    if (first && second && first->kind == second->kind &&
        (first->kind == Sequence::Kind::list || first->kind == Sequence::Kind::tuple))
        return isLessSequence(meter, *first, *second);
    throw Fault("values of type " + typeName(left) + " and " + typeName(right) + " have no order");
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
    if (const Text* text = container.asText()) {
        if (!item.asText())
            throw Fault("'in' a string needs a string, not " + typeName(item));
        runtime.meter.search(text->bytes.size());
        return findText(text->bytes, item.asText()->bytes) != std::string::npos;
    }
    if (const Dict* dict = container.asDict()) {
        if (!isHashable(item))
            throw Fault("a value of type " + typeName(item) + " cannot be the key of a dict");
        return findItem(runtime.meter, *dict, item) != nullptr;
    }
    const auto items = iterate(runtime, container);
    runtime.meter.elements(items->items.size());
    return std::any_of(items->items.begin(), items->items.end(),
                       [&](const Value& candidate) { return isEqual(runtime.meter, candidate, item); });
}

bool compare(Runtime& runtime, ComparisonOperator op, const Value& left, const Value& right) {
    Meter& meter = runtime.meter;
    switch (op) {
        case ComparisonOperator::eq:
            return isEqual(meter, left, right);
        case ComparisonOperator::ne:
            return !isEqual(meter, left, right);
        case ComparisonOperator::lt:
            return isLess(meter, left, right);
        case ComparisonOperator::gt:
            return isLess(meter, right, left);
        case ComparisonOperator::le:
            return isLess(meter, left, right) || isEqual(meter, left, right);
        case ComparisonOperator::ge:
            return isLess(meter, right, left) || isEqual(meter, left, right);
        case ComparisonOperator::in:
            return contains(runtime, right, left);
        case ComparisonOperator::not_in:
            return !contains(runtime, right, left);
    }
    throw Fault("unknown comparison");
}

namespace {

void appendRepr(Meter& meter, TextBuilder& out, const Value& value);

void appendReprItems(Meter& meter, TextBuilder& out, const Sequence& sequence) {
    const bool is_tuple = sequence.kind == Sequence::Kind::tuple;
    if (!is_tuple && sequence.kind != Sequence::Kind::list)
        throw Fault("a generator, range or dict view has no text form here");
    out.append(is_tuple ? "(" : "[");
    for (size_t i = 0; i < sequence.items.size(); ++i) {
        out.append(i ? ", " : "");
        appendRepr(meter, out, sequence.items[i]);
    }
    out.append(is_tuple ? (sequence.items.size() == 1 ? ",)" : ")") : "]");
}

void appendReprDict(Meter& meter, TextBuilder& out, const Dict& dict) {
    out.append("{");
    for (size_t i = 0; i < dict.items.size(); ++i) {
        out.append(i ? ", " : "");
        appendRepr(meter, out, dict.items[i].first);
        out.append(": ");
        appendRepr(meter, out, dict.items[i].second);
    }
    out.append("}");
}

void appendScalar(TextBuilder& out, const Value& value) {
    if (value.isNone())
        out.append("None");
    else if (const auto* flag = value.get<bool>())
        out.append(*flag ? "True" : "False");
    else if (const auto* integer = value.get<int64_t>())
        out.append(std::to_string(*integer));
    else if (const auto* number = value.get<double>())
        out.append(reprDouble(*number));
    else
        throw Fault("a " + typeName(value) + " has no text form here");
}

/// Python's repr.
void appendRepr(Meter& meter, TextBuilder& out, const Value& value) {
    meter.step();
    if (const Text* text = value.asText()) {
        meter.slowBytes(text->bytes.size());
        out.append(reprText(text->bytes), text->hasContent());
    } else if (const Sequence* sequence = value.asSequence()) {
        appendReprItems(meter, out, *sequence);
    } else if (const Dict* dict = value.asDict()) {
        appendReprDict(meter, out, *dict);
    } else if (value.isUndefined()) {
        out.append("Undefined");
    } else {
        appendScalar(out, value);
    }
}

}  // namespace

Text toText(Meter& meter, const Value& value) {
    if (const Text* text = value.asText()) {
        meter.bytes(text->bytes.size());
        return *text;
    }
    TextBuilder out(meter);
    if (!value.isUndefined())
        appendRepr(meter, out, value);
    return out.take();
}

}  // namespace spd::jinja
