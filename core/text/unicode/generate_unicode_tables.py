#!/usr/bin/env python3
"""Writes unicode_tables.cpp: what each code point is to the tokenizer.

The reference is the `tokenizers` library (0.23), whose parts carry different versions of Unicode; each class below
names its own, and tests/oracle/test_tokenizer.py sweeps every code point against the library.

    letter, number   16.0  \\p{L} and \\p{N} of the pre-tokenizers' patterns (Oniguruma)
    space                  \\s: White_Space, the same in all versions concerned
    word             16.0  \\w of single_word added tokens: Alphabetic, M, Nd, Pc, Join_Control (Rust's regex)
    numeric          17.0  char::is_numeric of the Digits pre-tokenizer: N (Rust's standard library)
    known_to_nfc      9.0  assigned, for the NFC normalizer (the library's own tables); younger ones pass through it
    checked_by_nfc    9.0  known, and NFC_Quick_Check is not Yes or the combining class is not 0

    pip install --no-deps --target DIR unicodedataplus==16.0.0.post1 regex==2025.7.34
    pip install --no-deps --target DIR17 unicodedata2==17.0.1
    PYTHONPATH=DIR:DIR17 python3 generate_unicode_tables.py > unicode_tables.cpp
"""
import sys

import regex
import unicodedata2 as unicode17
import unicodedataplus as unicode16

LETTER, NUMBER, SPACE, WORD, NUMERIC, KNOWN_TO_NFC, CHECKED_BY_NFC = (1 << bit for bit in range(7))
LAST = 0x10FFFF
WORD_PATTERN = regex.compile(r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]")
SPACE_PATTERN = regex.compile(r"\p{White_Space}")


def known_to_nfc(character):
    age = unicode16.age(character)
    return age not in ("NA", "Unassigned", None) and float(age) <= 9.0


def may_compose_with_previous():
    """Characters that end a pair which NFC composes: NFC_Quick_Check=Maybe."""
    found = {chr(code) for code in range(0x1161, 0x1176)} | {chr(code) for code in range(0x11A8, 0x11C3)}
    for code in range(LAST + 1):
        whole = chr(code)
        parts = unicode16.decomposition(whole).split()
        canonical = len(parts) == 2 and not parts[0].startswith("<")
        if canonical and known_to_nfc(whole) and unicode16.normalize("NFC", whole) == whole:
            found.add(chr(int(parts[1], 16)))
    return found


def classes_of(character, second_parts):
    bits = 0
    category = unicode16.category(character)
    if category[0] == "L":
        bits |= LETTER
    if category[0] == "N":
        bits |= NUMBER
    if SPACE_PATTERN.match(character):
        bits |= SPACE
    if WORD_PATTERN.match(character):
        bits |= WORD
    if unicode17.category(character)[0] == "N":
        bits |= NUMERIC
    if known_to_nfc(character):
        bits |= KNOWN_TO_NFC
        changes = unicode16.normalize("NFC", character) != character
        if unicode16.combining(character) or changes or character in second_parts:
            bits |= CHECKED_BY_NFC
    return bits


def runs():
    second_parts = may_compose_with_previous()
    previous = None
    for code in range(LAST + 1):
        surrogate = 0xD800 <= code <= 0xDFFF
        bits = 0 if surrogate else classes_of(chr(code), second_parts)
        if bits != previous:
            yield code, bits
            previous = bits


def main():
    assert unicode16.unidata_version == "16.0.0" and unicode17.unidata_version == "17.0.0"
    entries = [f"{{0x{code:X}, 0x{bits:02X}}}," for code, bits in runs()]
    print("// Made by generate_unicode_tables.py, which names the Unicode version of each class. Do not edit.\n")
    print('#include "core/text/unicode/unicode_tables.h"\n')
    print("namespace spd::unicode {\n")
    print("// clang-format off")
    print("const ClassRun class_runs[] = {")
    line = "   "
    for entry in entries:
        if len(line) + 1 + len(entry) > 118:
            print(line)
            line = "   "
        line += " " + entry
    print(line)
    print("};")
    print("// clang-format on")
    print(f"const size_t class_run_count = {len(entries)};\n")
    print("}  // namespace spd::unicode")
    print(f"{len(entries)} runs", file=sys.stderr)


if __name__ == "__main__":
    main()
