#include <algorithm>

#include "core/text/jinja/python/python_text.h"
#include "core/text/jinja/runtime/operators.h"

namespace spd::jinja {
namespace {

/// What Python's slice.indices(size) gives: positions begin, begin + step, ... `count` of them.
struct SliceIndices {
    int64_t begin = 0;
    int64_t step = 1;
    int64_t count = 0;
};

std::optional<int64_t> slicePart(const Value& value) {
    if (value.isNone())
        return std::nullopt;
    if (const auto number = asInteger(value))
        return number;
    throw Fault("a slice needs integers, not " + typeName(value));
}

SliceIndices sliceIndices(int64_t size, const Value& start, const Value& stop, const Value& step_value) {
    const int64_t step = slicePart(step_value).value_or(1);
    if (step == 0)
        throw Fault("a slice's step cannot be zero");
    const int64_t lowest = step > 0 ? 0 : -1;
    const int64_t highest = step > 0 ? size : size - 1;
    const auto clamp = [&](std::optional<int64_t> part, int64_t fallback) {
        if (!part)
            return fallback;
        return std::clamp(*part < 0 ? *part + size : *part, lowest, highest);
    };
    const int64_t begin = clamp(slicePart(start), step > 0 ? lowest : highest);
    const int64_t end = clamp(slicePart(stop), step > 0 ? highest : lowest);
    const int64_t distance = step > 0 ? end - begin : begin - end;
    // |step| as unsigned: the smallest int64 has no positive twin.
    const uint64_t width = step > 0 ? static_cast<uint64_t>(step) : -static_cast<uint64_t>(step);
    const auto count = distance > 0 ? (static_cast<uint64_t>(distance) - 1) / width + 1 : 0;
    return {begin, step, static_cast<int64_t>(count)};
}

Value sliceString(Runtime& runtime, const Text& text, const Value& start, const Value& stop,
                  const Value& step) {
    runtime.meter.slowBytes(text.bytes.size());
    const auto size = countCodePoints(text.bytes);
    const SliceIndices indices = sliceIndices(static_cast<int64_t>(size), start, stop, step);
    if (indices.count == 0)
        return Value::text("");
    if (indices.step == 1) {
        const size_t begin = byteOffset(text.bytes, static_cast<size_t>(indices.begin));
        const std::string_view rest = std::string_view(text.bytes).substr(begin);
        return Value::text(
            sliceText(text, begin, begin + byteOffset(rest, static_cast<size_t>(indices.count))));
    }
    runtime.meter.elements(size);
    std::vector<size_t> offsets;  // of every character, and the end
    for (size_t i = 0; i < text.bytes.size(); nextCodePoint(text.bytes, i))
        offsets.push_back(i);
    offsets.push_back(text.bytes.size());
    TextBuilder out(runtime.meter);
    for (int64_t k = 0; k < indices.count; ++k) {
        const auto at = static_cast<size_t>(indices.begin + k * indices.step);
        out.append(text, offsets[at], offsets[at + 1]);
    }
    return Value::text(out.take());
}

Value sliceSequence(Runtime& runtime, const Sequence& sequence, const SliceIndices& indices) {
    runtime.meter.elements(static_cast<size_t>(indices.count));
    std::vector<Value> items;
    for (int64_t k = 0; k < indices.count; ++k)
        items.push_back(sequence.items[static_cast<size_t>(indices.begin + k * indices.step)]);
    return makeSequence(sequence.kind, std::move(items));
}

bool hasPositions(const Sequence& sequence) {
    return sequence.kind != Sequence::Kind::generator && sequence.kind != Sequence::Kind::dict_view;
}

Value characterAt(Runtime& runtime, const Text& text, int64_t index) {
    runtime.meter.slowBytes(text.bytes.size());
    const auto size = static_cast<int64_t>(countCodePoints(text.bytes));
    const int64_t at = index < 0 ? index + size : index;
    if (at < 0 || at >= size)
        return Value();
    const size_t begin = byteOffset(text.bytes, static_cast<size_t>(at));
    size_t end = begin;
    nextCodePoint(text.bytes, end);
    return Value::text(sliceText(text, begin, end));
}

}  // namespace

Value subscript(Runtime& runtime, const Value& object, const Value& index) {
    if (object.isUndefined()) {
        const auto* name = object.get<Undefined>()->name;
        throw Fault(name ? "'" + *name + "' is undefined" : "a value is undefined");
    }
    if (const Dict* dict = object.asDict()) {
        const Value* item = isHashable(index) ? findItem(runtime.meter, *dict, index) : nullptr;
        return item ? *item : Value();
    }
    const auto position = asInteger(index);
    if (!position)
        return Value();
    if (const Text* text = object.asText())
        return characterAt(runtime, *text, *position);
    const Sequence* sequence = object.asSequence();
    if (!sequence || !hasPositions(*sequence))
        return Value();
    const auto size = static_cast<int64_t>(sequence->items.size());
    const int64_t at = *position < 0 ? *position + size : *position;
    return at >= 0 && at < size ? sequence->items[static_cast<size_t>(at)] : Value();
}

Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
    if (const Text* text = object.asText())
        return sliceString(runtime, *text, start, stop, step);
    const Sequence* sequence = object.asSequence();
    if (object.isUndefined())
        throw Fault("an undefined value is sliced");
    if (!sequence || !hasPositions(*sequence))
        return Value();  // the sandbox takes Python's TypeError for an absent item
    return sliceSequence(runtime, *sequence,
                         sliceIndices(static_cast<int64_t>(sequence->items.size()), start, stop, step));
}

}  // namespace spd::jinja
