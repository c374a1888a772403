#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace spd::unicode {

/// What a code point is to the tokenizer. The Unicode version of each class is the one that the `tokenizers`
/// library uses in the same place; generate_unicode_tables.py names and writes them.
enum Class : uint8_t {
    letter = 1 << 0,        ///< \p{L}
    number = 1 << 1,        ///< \p{N}
    space = 1 << 2,         ///< White_Space
    word = 1 << 3,          ///< \w
    numeric = 1 << 4,       ///< what the Digits pre-tokenizer splits off
    known_to_nfc = 1 << 5,  ///< the NFC normalizer knows it; others pass through and compose with nothing
    checked_by_nfc =
        1 << 6,  ///< not a stable beginning for NFC: may move, change or compose with what precedes
};

constexpr uint32_t code_point_end = 0x110000;

/// From `begin` to the next run's begin, all code points have the classes `bits`.
struct ClassRun {
    uint32_t begin;
    uint8_t bits;
};
extern const ClassRun class_runs[];
extern const size_t class_run_count;

/// One byte of Class bits for each code point, expanded from the runs on first use (1.1 MB). Thread-safe.
const std::array<uint8_t, code_point_end>& classTable();

/// `code_point` < code_point_end.
inline uint8_t classesOf(uint32_t code_point) {
    static const std::array<uint8_t, code_point_end>& table = classTable();
    return table[code_point];
}

}  // namespace spd::unicode
