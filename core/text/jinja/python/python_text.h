#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

/// Python's str, on valid UTF-8: characters are code points, as in Python.
namespace spd::jinja {

/// The code point at `position`, which is moved behind it.
char32_t nextCodePoint(std::string_view text, size_t& position);
void appendCodePoint(std::string& out, char32_t code_point);
bool isValidUtf8(std::string_view text);
/// str.isspace of one character.
bool isPythonSpace(char32_t code_point);

/// len(text).
size_t countCodePoints(std::string_view text);
/// Byte position of character `index`; the text's size when there are fewer.
size_t byteOffset(std::string_view text, size_t index);
/// Position of `needle` at or behind `from`, or npos; linear in the text whatever the needle.
size_t findText(std::string_view text, std::string_view needle, size_t from = 0);

struct StripSides {
    bool left = true;
    bool right = true;
};
/// Bytes [begin, end) that str.strip leaves; null `characters` means white space.
std::pair<size_t, size_t> stripRange(std::string_view text, const std::string_view* characters,
                                     StripSides sides);

// Full case mappings, as Python's methods of the same names.
std::string upperText(std::string_view text);
std::string lowerText(std::string_view text);
std::string titleText(std::string_view text);
std::string capitalizeText(std::string_view text);
/// str.islower and str.isupper.
bool isLowerText(std::string_view text);
bool isUpperText(std::string_view text);

/// repr of a str and of a float.
std::string reprText(std::string_view text);
std::string reprDouble(double number);

}  // namespace spd::jinja
