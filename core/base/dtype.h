#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace spd {

/// The element types that the program computes in and reads weights from.
enum class DType { float32, bfloat16, float16 };

constexpr int64_t bytesPerElement(DType dtype) {
    return dtype == DType::float32 ? 4 : 2;
}

constexpr std::string_view name(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return "float32";
        case DType::bfloat16:
            return "bfloat16";
        case DType::float16:
            break;
    }
    return "float16";
}

/// Reads "float32", "bfloat16", "float16" (the spelling of config.json and of --dtype).
constexpr std::optional<DType> parseDType(std::string_view text) {
    for (DType dtype : {DType::float32, DType::bfloat16, DType::float16})
        if (text == name(dtype))
            return dtype;
    return std::nullopt;
}

/// bfloat16 is the upper half of a float32; rounds to nearest, ties to even, NaN stays NaN.
constexpr uint16_t toBFloat16(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
        return static_cast<uint16_t>((bits >> 16) | 0x40u);
    return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

constexpr float fromBFloat16(uint16_t bits) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

}  // namespace spd
