#include "tests/base/json_conformance/cases.h"

using namespace std::string_literals;

namespace {

/// Section 6: range and precision of numbers. Beyond double's range is refused, since infinity would come
/// out; integers beyond 64 bits become doubles; what is too small becomes zero.
const std::vector<JsonCase> kNumbers = {
    {"too large", "[1e999]", ""},
    {"too large, negative", "[-1e999]", ""},
    {"too large, capital", "[1.5E+9999]", ""},
    {"too large, few digits", "[123123e100000]", ""},
    {"exponent of 20 digits", "[0.4e00669999999999999999]", ""},
    {"400 digits", "[1" + std::string(399, '0') + "]", ""},
    {"too small", "[1e-999]", "[0.0]"},
    {"too small, negative", "[-1e-999]", "[-0.0]"},
    {"exponent of 20 digits, negative", "[1e-99999999999999999999]", "[0.0]"},
    {"2^64", "[18446744073709551616]", "[1.8446744073709552e+19]"},
    {"below -2^63", "[-9223372036854775809]", "[-9.223372036854776e+18]"},
    {"30 digits", "[100000000000000000000000000000]", "[1e+29]"},
    {"negative zero", "[-0]", "[0]"},
    {"negative zero with a fraction", "[-0.0]", "[-0.0]"},
};

/// Section 8.2: escapes that are no character. Refused: they have no UTF-8.
const std::vector<JsonCase> kSurrogates = {
    {"high surrogate alone", R"(["\uD800"])", ""},
    {"low surrogate alone", R"(["\uDC00"])", ""},
    {"high surrogate before a letter", R"(["\uD800a"])", ""},
    {"high surrogate before an escape", R"(["\uD800\n"])", ""},
    {"high surrogate before a letter by number", R"(["\uD800\u0041"])", ""},
    {"two high surrogates", R"(["\uD800\uD800"])", ""},
    {"pair the wrong way round", R"(["\uDC00\uD800"])", ""},
    {"high surrogate before a pair", R"(["\uD800\uD83D\uDE00"])", ""},
    {"surrogate in a key", R"({"\uDFFF":1})", ""},
};

/// Section 8.1: other encodings, marks, bytes that are no UTF-8 inside strings. Refused.
const std::vector<JsonCase> kEncodings = {
    {"byte order mark", "\xEF\xBB\xBF{}", ""},
    {"byte order mark alone", "\xEF\xBB\xBF", ""},
    {"UTF-16 LE", "\xFF\xFE[\0]\0"s, ""},
    {"UTF-16 BE", "\xFE\xFF\0[\0]"s, ""},
    {"UTF-16 LE without a mark", "[\0]\0"s, ""},
    {"UTF-16 BE without a mark", "\0[\0]"s, ""},
    {"NUL behind the text", "[]\0"s, ""},
    {"continuation byte alone", "[\"\x80\"]", ""},
    {"byte FF", "[\"\xFF\"]", ""},
    {"Latin-1", "[\"\xE9\"]", ""},
    {"slash in two bytes", "[\"\xC0\xAF\"]", ""},
    {"slash in three bytes", "[\"\xE0\x80\xAF\"]", ""},
    {"slash in four bytes", "[\"\xF0\x80\x80\xAF\"]", ""},
    {"slash in six bytes", "[\"\xFC\x80\x80\x80\x80\xAF\"]", ""},
    {"character that is cut", "[\"\xE2\x82\"]", ""},
    {"surrogate in three bytes", "[\"\xED\xA0\x80\"]", ""},
    {"pair in six bytes", "[\"\xED\xA0\xBD\xED\xB8\x80\"]", ""},
    {"above U+10FFFF", "[\"\xF4\x90\x80\x80\"]", ""},
    {"bad byte in a key", "{\"\xFF\":1}", ""},
    {"bad byte after an escape", "[\"\\n\xE5\"]", ""},
};

/// Section 4: names within an object SHOULD be unique. Two readers would see two different objects: refused.
const std::vector<JsonCase> kDuplicates = {
    {"key twice", R"({"a":1,"a":2})", ""},
    {"key and value twice", R"({"a":1,"a":1})", ""},
    {"key twice by another escape", R"({"a":1,"\u0061":2})", ""},
    {"empty key twice", R"({"":1,"":2})", ""},
    {"key twice deep inside", R"([[{"a":[{"b":1,"c":2,"b":3}]}]])", ""},
};

JsonCase nested(int depth, bool accepted) {
    const std::string text =
        std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
    return {std::to_string(depth) + " nested arrays", text, accepted ? text : ""};
}

}  // namespace

std::vector<JsonCase> definedHereCases() {
    std::vector<JsonCase> cases;
    for (const auto* list : {&kNumbers, &kSurrogates, &kEncodings, &kDuplicates})
        cases.insert(cases.end(), list->begin(), list->end());
    // Section 9: limits.
    cases.push_back(nested(64, true));
    cases.push_back(nested(65, false));
    cases.push_back(nested(500, false));
    cases.push_back(nested(100'000, false));
    cases.push_back({"text over the limit of 1 MiB", "\"" + std::string(size_t{1} << 20, 'a') + "\"", ""});
    return cases;
}
