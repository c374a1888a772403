#include "core/io/weights/convert.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace spd {
namespace {

// The loops below have no branches, so that the compiler makes vector code of them.

float fromFloat16(uint16_t half) {
    const uint32_t sign = (half & 0x8000u) << 16;
    const uint32_t magnitude = (half & 0x7FFFu) << 13;
    const uint32_t exponent = magnitude & 0x0F800000u;
    const uint32_t normal = magnitude + 0x38000000u;  // exponent bias 15 to 127
    const uint32_t special = magnitude | 0x7F800000u;
    // Subnormal: put the bits behind the 1 of 2^-14, subtract that 1 again.
    const float scaled = std::bit_cast<float>(magnitude + 0x38800000u) - std::bit_cast<float>(0x38800000u);
    const uint32_t subnormal = std::bit_cast<uint32_t>(scaled);
    const uint32_t finite = exponent == 0 ? subnormal : normal;
    return std::bit_cast<float>(sign | (exponent == 0x0F800000u ? special : finite));
}

uint16_t toFloat16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = (bits >> 16) & 0x8000u;
    const uint32_t magnitude = bits & 0x7FFFFFFFu;
    const uint32_t normal = (magnitude + 0xC8000FFFu + ((magnitude >> 13) & 1u)) >> 13;
    // Below 2^-14: adding 0.5 leaves the subnormal's bits, rounded, at the end of the mantissa.
    const float shifted = std::bit_cast<float>(magnitude < 0x38800000u ? magnitude : 0u) + 0.5f;
    const uint32_t subnormal = std::bit_cast<uint32_t>(shifted) - 0x3F000000u;
    const uint32_t special = magnitude > 0x7F800000u ? 0x7E00u : 0x7C00u;
    const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
    return static_cast<uint16_t>(sign | (magnitude >= 0x47800000u ? special : finite));
}

uint16_t roundToBFloat16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
    const uint32_t quiet = (bits >> 16) | 0x40u;
    return static_cast<uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded);
}

template <typename From, typename To, typename Function>
void transform(const void* from, void* to, size_t count, Function function) {
    const auto* in = static_cast<const From*>(from);
    auto* out = static_cast<To*>(to);
    for (size_t i = 0; i < count; ++i)
        out[i] = function(in[i]);
}

}  // namespace

void convertElements(const void* from, DType from_type, void* to, DType to_type, size_t count) {
    using enum DType;
    if (from_type == to_type)
        std::memcpy(to, from, count * static_cast<size_t>(bytesPerElement(to_type)));
    else if (from_type == bfloat16 && to_type == float32)
        transform<uint16_t, float>(from, to, count, fromBFloat16);
    else if (from_type == float16 && to_type == float32)
        transform<uint16_t, float>(from, to, count, fromFloat16);
    else if (from_type == float32 && to_type == bfloat16)
        transform<float, uint16_t>(from, to, count, roundToBFloat16);
    else if (from_type == float32 && to_type == float16)
        transform<float, uint16_t>(from, to, count, toFloat16);
    else if (from_type == bfloat16 && to_type == float16)
        transform<uint16_t, uint16_t>(from, to, count, [](uint16_t v) { return toFloat16(fromBFloat16(v)); });
    else
        transform<uint16_t, uint16_t>(from, to, count,
                                      [](uint16_t v) { return roundToBFloat16(fromFloat16(v)); });
}

}  // namespace spd
