#pragma once

namespace spd::jinja {

/// A character whose upper or title case has several characters; 0 ends a mapping short of three.
struct SpecialCasing {
    char32_t code_point;
    char32_t upper[3];
    char32_t title[3];
};

/// Null for characters that map to one character.
const SpecialCasing* findSpecialCasing(char32_t code_point);

}  // namespace spd::jinja
