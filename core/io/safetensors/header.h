#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace spd {

/// Element types of the safetensors format that whole bytes can hold; the others are refused by name.
enum class ElementType {
    f64,
    f32,
    f16,
    bf16,
    f8_e5m2,
    f8_e4m3,
    i64,
    u64,
    i32,
    u32,
    i16,
    u16,
    i8,
    u8,
    boolean
};

/// "F32", "BF16", ... as the header spells it.
std::string_view name(ElementType type);
int64_t bytesPerElement(ElementType type);

/// One tensor of a safetensors file: row-major, little-endian, bytes [begin, end) of the data behind the
/// header.
struct TensorEntry {
    std::string name;
    ElementType type = ElementType::f32;
    std::vector<int64_t> shape;  ///< empty for a scalar; at most 8 dimensions
    uint64_t begin = 0;
    uint64_t end = 0;

    uint64_t bytes() const { return end - begin; }
    /// A 1 for a scalar, 0 where a dimension is 0; never overflows.
    int64_t elements() const;
};

/// "[2, 3]", as messages show a shape.
std::string shapeText(const std::vector<int64_t>& shape);

/// What a safetensors file says about itself, completely checked: the tensors' byte ranges fit their shapes
/// and fill the data without holes or overlaps.
struct SafetensorsHeader {
    std::vector<TensorEntry> tensors;  ///< in the order of their bytes
    std::map<std::string, std::string> metadata;
    uint64_t data_begin = 0;  ///< of the data in the file: 8 + length of the header
};

// Limits of hardening S4, S15, S19, S25, S42.
constexpr uint64_t most_header_bytes = 100'000'000;
constexpr size_t most_tensors = 1'000'000;
constexpr size_t most_name_bytes = 1024;
constexpr size_t most_dimensions = 8;
constexpr size_t most_metadata_bytes = size_t{1} << 20;

/// Length of the header from the first bytes of a file.
/// @param start  the file's first min(file_bytes, 64) bytes; more than 8 only serve to say what a foreign
/// file is.
/// @throws Error file_format
uint64_t headerLength(std::string_view start, uint64_t file_bytes, const std::string& file);

/// Parses a header. White space (space, tab, CR, LF) before the brace is accepted, as the reference reader
/// does.
/// @param text  the bytes between the length and the data.
/// @param data_bytes  bytes that the file has behind the header.
/// @throws Error file_format; unsupported_model for an element type that is known but not read.
SafetensorsHeader parseSafetensorsHeader(std::string_view text, uint64_t data_bytes, const std::string& file);

}  // namespace spd
