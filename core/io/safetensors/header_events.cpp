#include "core/io/safetensors/header_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/base/error.h"

namespace spd {
namespace {

constexpr uint64_t most_size = std::numeric_limits<int64_t>::max();

struct TypeTraits {
    ElementType type;
    std::string_view name;
    int64_t bytes;
};

constexpr std::array<TypeTraits, 15> types = {{
    {ElementType::f64, "F64", 8},
    {ElementType::f32, "F32", 4},
    {ElementType::f16, "F16", 2},
    {ElementType::bf16, "BF16", 2},
    {ElementType::f8_e5m2, "F8_E5M2", 1},
    {ElementType::f8_e4m3, "F8_E4M3", 1},
    {ElementType::i64, "I64", 8},
    {ElementType::u64, "U64", 8},
    {ElementType::i32, "I32", 4},
    {ElementType::u32, "U32", 4},
    {ElementType::i16, "I16", 2},
    {ElementType::u16, "U16", 2},
    {ElementType::i8, "I8", 1},
    {ElementType::u8, "U8", 1},
    {ElementType::boolean, "BOOL", 1},
}};

/// Types of the format that nothing here reads.
constexpr std::array<std::string_view, 7> unread_types = {"F4",          "F6_E2M3",     "F6_E3M2", "F8_E8M0",
                                                          "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64"};

const TypeTraits& traitsOf(ElementType type) {
    return types[static_cast<size_t>(type)];
}

bool hasControlCharacter(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

std::string_view name(ElementType type) {
    return traitsOf(type).name;
}

int64_t bytesPerElement(ElementType type) {
    return traitsOf(type).bytes;
}

SafetensorsHeaderEvents::SafetensorsHeaderEvents(const std::string& file, uint64_t data_bytes)
    // Depth 3, a shape in an entry in the header, is the format's own: startObject() and startArray() refuse
    // deeper ones before the limit does.
    : StrictJsonEvents(file + ": header", {most_header_bytes, /*max_depth=*/8}),
      file_(file),
      data_bytes_(data_bytes) {}

SafetensorsHeader SafetensorsHeaderEvents::read(std::string_view text) {
    parse(text);
    return std::move(header_);
}

void SafetensorsHeaderEvents::startObject() {
    if (place_ == Place::top || place_ == Place::tensor || place_ == Place::metadata)
        return;  // key() knows what each member is
    refuseValue("an object");
}

void SafetensorsHeaderEvents::endObject() {
    if (place_ == Place::tensor)
        finishTensor();
    place_ = Place::top;
}

void SafetensorsHeaderEvents::startArray() {
    if (place_ == Place::shape)
        place_ = Place::dimension;
    else if (place_ == Place::offsets)
        place_ = Place::offset;
    else
        refuseValue("a list");
}

void SafetensorsHeaderEvents::endArray() {
    if (place_ == Place::offset && offsets_seen_ != 2)
        refuseTensor(fmt::format("data_offsets has {} numbers, must have 2", offsets_seen_));
    place_ = Place::tensor;
}

bool SafetensorsHeaderEvents::key(string_t& key) {
    if (place_ == Place::top)
        nameTensor(key);
    else if (place_ == Place::metadata)
        nameMetadata(key);
    else
        nameField(key);
    return true;
}

void SafetensorsHeaderEvents::nameTensor(std::string& key) {
    if (key == "__metadata__") {
        if (has_metadata_)
            refuse("__metadata__ appears twice");
        has_metadata_ = true;
        place_ = Place::metadata;
        return;
    }
    if (key.empty() || key.size() > most_name_bytes || hasControlCharacter(key))
        refuse(fmt::format("tensor name \"{}\" is empty, longer than {} bytes or has control characters",
                           printable(key, 60), most_name_bytes));
    if (header_.tensors.size() == most_tensors)
        refuse(fmt::format("more than {} tensors", most_tensors));
    tensor_ = {};
    tensor_.name = std::move(key);
    has_type_ = has_shape_ = has_offsets_ = false;
    offsets_seen_ = 0;
    place_ = Place::tensor;
}

void SafetensorsHeaderEvents::nameField(const std::string& key) {
    bool* seen = nullptr;
    if (key == "dtype") {
        seen = &has_type_;
        place_ = Place::type;
    } else if (key == "shape") {
        seen = &has_shape_;
        place_ = Place::shape;
    } else if (key == "data_offsets") {
        seen = &has_offsets_;
        place_ = Place::offsets;
    } else {
        refuseTensor(fmt::format("unknown key \"{}\"", printable(key, 60)));
    }
    if (*seen)
        refuseTensor(fmt::format("{} appears twice", key));
    *seen = true;
}

void SafetensorsHeaderEvents::nameMetadata(std::string& key) {
    metadata_bytes_ += key.size();
    metadata_key_ = std::move(key);
    place_ = Place::metadata_value;
}

bool SafetensorsHeaderEvents::string(string_t& value) {
    if (place_ == Place::metadata_value) {
        metadata_bytes_ += value.size();
        if (metadata_bytes_ > most_metadata_bytes)
            refuse(fmt::format("__metadata__ holds more than {} bytes", most_metadata_bytes));
        if (!header_.metadata.emplace(std::move(metadata_key_), std::move(value)).second)
            refuse("a key of __metadata__ appears twice");
        place_ = Place::metadata;
        return true;
    }
    if (place_ != Place::type)
        refuseValue("a string");
    const auto found =
        std::find_if(types.begin(), types.end(), [&](const TypeTraits& t) { return t.name == value; });
    if (found == types.end())
        refuseType(value);
    tensor_.type = found->type;
    place_ = Place::tensor;
    return true;
}

void SafetensorsHeaderEvents::refuseType(std::string_view type) const {
    if (std::find(unread_types.begin(), unread_types.end(), type) == unread_types.end())
        refuseTensor(fmt::format("unknown dtype \"{}\"", printable(type, 60)));
    throw Error(ErrorKind::unsupported_model,
                fmt::format("{}: tensor \"{}\": dtype {} is not supported", printable(file_),
                            printable(tensor_.name, 120), type));
}

bool SafetensorsHeaderEvents::number_unsigned(number_unsigned_t value) {
    addInteger(value);
    return true;
}

/// Sent for what is written with a minus, -0 too.
bool SafetensorsHeaderEvents::number_integer(number_integer_t) {
    refuseValue("a negative number");
}

bool SafetensorsHeaderEvents::number_float(number_float_t, const string_t& text) {
    refuseValue(fmt::format("{}, which is no 64-bit integer,", printable(text, 40)));
}

bool SafetensorsHeaderEvents::boolean(bool) {
    refuseValue("true or false");
}

bool SafetensorsHeaderEvents::null() {
    if (place_ != Place::metadata)
        refuseValue("null");
    place_ = Place::top;
    return true;
}

void SafetensorsHeaderEvents::addInteger(uint64_t value) {
    if (place_ != Place::dimension && place_ != Place::offset)
        refuseValue("a number");
    if (value > most_size)
        refuseTensor(fmt::format("{} is above 2^63 - 1", value));
    if (place_ == Place::dimension) {
        if (tensor_.shape.size() == most_dimensions)
            refuseTensor(fmt::format("more than {} dimensions", most_dimensions));
        tensor_.shape.push_back(static_cast<int64_t>(value));
        return;
    }
    if (offsets_seen_ == 0)
        tensor_.begin = value;
    else if (offsets_seen_ == 1)
        tensor_.end = value;
    ++offsets_seen_;
}

/// A dimension of 0 does not excuse the others: their product must fit in 64 bits in any order (S26 to S28).
uint64_t SafetensorsHeaderEvents::bytesOfShape() const {
    auto product = static_cast<uint64_t>(bytesPerElement(tensor_.type));
    bool empty = false;
    for (const int64_t dimension : tensor_.shape) {
        if (dimension == 0) {
            empty = true;
            continue;
        }
        // As the reference reader counts: bits, in 64 bits.
        if (product > most_size / 8 / static_cast<uint64_t>(dimension))
            refuseTensor(fmt::format("the size of shape {} overflows", shapeText(tensor_.shape)));
        product *= static_cast<uint64_t>(dimension);
    }
    return empty ? 0 : product;
}

void SafetensorsHeaderEvents::finishTensor() {
    if (!has_type_ || !has_shape_ || !has_offsets_)
        refuseTensor(fmt::format("{} is missing", !has_type_    ? "dtype"
                                                  : !has_shape_ ? "shape"
                                                                : "data_offsets"));
    if (tensor_.begin > tensor_.end)
        refuseTensor(fmt::format("data_offsets begin at {} behind their end {}", tensor_.begin, tensor_.end));
    const uint64_t bytes = bytesOfShape();
    if (tensor_.bytes() != bytes)
        refuseTensor(fmt::format("data_offsets span {} bytes, {} of shape {} takes {}", tensor_.bytes(),
                                 spd::name(tensor_.type), shapeText(tensor_.shape), bytes));
    if (tensor_.end > data_bytes_)
        refuseTensor(fmt::format("ends at byte {} of the data, the file has {}", tensor_.end, data_bytes_));
    header_.tensors.push_back(std::move(tensor_));
}

void SafetensorsHeaderEvents::refuseValue(std::string_view found) const {
    constexpr std::array<std::string_view, 9> expected = {
        "the header must be an object",
        "must be an object",
        "dtype must be a string",
        "shape must be a list",
        "a dimension must be an integer from 0 to 2^63 - 1",
        "data_offsets must be a list",
        "an offset must be an integer from 0 to 2^63 - 1",
        "__metadata__ must be an object",
        "a value of __metadata__ must be a string",
    };
    const std::string rule = fmt::format("{} where {}", found, expected[static_cast<size_t>(place_)]);
    const bool in_tensor =
        place_ != Place::top && place_ != Place::metadata && place_ != Place::metadata_value;
    if (in_tensor)
        refuseTensor(rule);
    refuse(rule);
}

void SafetensorsHeaderEvents::refuseTensor(std::string_view rule) const {
    refuse(fmt::format("tensor \"{}\": {}", printable(tensor_.name, 120), rule));
}

}  // namespace spd
