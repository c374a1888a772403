#include "tests/base/json_conformance/cases.h"

using namespace std::string_literals;

namespace {

/// name, text, value
const std::vector<JsonCase> kStructures = {
    {"empty array", "[]", "[]"},
    {"empty object", "{}", "{}"},
    {"blanks in an array", "[ \t\r\n]", "[]"},
    {"blanks in an object", "{ \t\r\n}", "{}"},
    {"true alone", "true", "true"},
    {"false alone", "false", "false"},
    {"null alone", "null", "null"},
    {"number alone", "42", "42"},
    {"string alone", R"("a")", R"("a")"},
    {"empty string alone", R"("")", R"("")"},
    {"blank string alone", R"(" ")", R"(" ")"},
    {"literals in an array", "[true,false,null]", "[true,false,null]"},
    {"blanks around commas", "[ 1 , 2 ]", "[1,2]"},
    {"blanks around colons", R"({ "a" : 1 , "b" : 2 })", R"({"a":1,"b":2})"},
    {"lines", "{\n\t\"a\":\n\t1\r\n}\n", R"({"a":1})"},
    {"arrays in arrays", "[[],[[]],[[[]]]]", "[[],[[]],[[[]]]]"},
    {"objects in objects", R"({"a":{"b":{"c":{}}}})", R"({"a":{"b":{"c":{}}}})"},
    {"mixed", R"({"a":[{"b":[null,{}]}]})", R"({"a":[{"b":[null,{}]}]})"},
    {"empty key", R"({"":0})", R"({"":0})"},
    {"order of keys is kept", R"({"b":1,"a":2,"c":3})", R"({"b":1,"a":2,"c":3})"},
    {"keys that differ in case", R"({"a":1,"A":2})", R"({"a":1,"A":2})"},
    {"same key on two levels", R"({"a":{"a":{"a":1}}})", R"({"a":{"a":{"a":1}}})"},
    {"same key in two elements", R"([{"a":1},{"a":1}])", R"([{"a":1},{"a":1}])"},
    {"key with escapes", R"({"a\n\u00e9":1})", "{\"a\\n\xC3\xA9\":1}"},
    {"key of blanks", R"({" ":1,"  ":2})", R"({" ":1,"  ":2})"},
    {"equal values", "[1,1,1]", "[1,1,1]"},
    {"space before", " 1", "1"},
    {"tab before", "\t1", "1"},
    {"line feed before", "\n1", "1"},
    {"carriage return before", "\r1", "1"},
    {"space after", "1 ", "1"},
    {"tab after", "1\t", "1"},
    {"line feed after", "1\n", "1"},
    {"carriage return after", "1\r", "1"},
};

const std::vector<JsonCase> kNumbers = {
    {"zero", "[0]", "[0]"},
    {"one digit", "[7]", "[7]"},
    {"digits", "[1234567890]", "[1234567890]"},
    {"negative", "[-1]", "[-1]"},
    {"negative digits", "[-123]", "[-123]"},
    {"ends in zero", "[10]", "[10]"},
    {"fraction", "[1.5]", "[1.5]"},
    {"negative fraction", "[-1.5]", "[-1.5]"},
    {"zero and fraction", "[0.5]", "[0.5]"},
    {"fraction of zero", "[0.0]", "[0.0]"},
    {"fraction with zeros", "[1.000]", "[1.0]"},
    {"exponent", "[1e5]", "[100000.0]"},
    {"large exponent", "[1E22]", "[1e+22]"},
    {"plus exponent", "[1e+2]", "[100.0]"},
    {"capital plus exponent", "[1E+2]", "[100.0]"},
    {"minus exponent", "[1e-2]", "[0.01]"},
    {"capital minus exponent", "[1E-2]", "[0.01]"},
    {"exponent with leading zero", "[1e05]", "[100000.0]"},
    {"zero exponent", "[0e0]", "[0.0]"},
    {"zero times power", "[0e+1]", "[0.0]"},
    {"fraction and exponent", "[1.5e3]", "[1500.0]"},
    {"negative fraction and exponent", "[-12.5E-2]", "[-0.125]"},
    {"2^53 + 1 exactly", "[9007199254740993]", "[9007199254740993]"},
    {"largest int64", "[9223372036854775807]", "[9223372036854775807]"},
    {"smallest int64", "[-9223372036854775808]", "[-9223372036854775808]"},
    {"largest uint64", "[18446744073709551615]", "[18446744073709551615]"},
    {"largest double", "[1.7976931348623157e308]", "[1.7976931348623157e+308]"},
    {"smallest double", "[5e-324]", "[5e-324]"},
    {"many digits", "[0.1000000000000000055511151231257827]", "[0.1]"},
    {"blank after", "[1 ]", "[1]"},
};

const std::vector<JsonCase> kStrings = {
    {"escaped quotation mark", R"(["\""])", R"(["\""])"},
    {"escaped backslash", R"(["\\"])", R"(["\\"])"},
    {"escaped slash", R"(["\/"])", R"(["/"])"},
    {"escaped backspace", R"(["\b"])", R"(["\b"])"},
    {"escaped form feed", R"(["\f"])", R"(["\f"])"},
    {"escaped line feed", R"(["\n"])", R"(["\n"])"},
    {"escaped carriage return", R"(["\r"])", R"(["\r"])"},
    {"escaped tab", R"(["\t"])", R"(["\t"])"},
    {"all short escapes", R"(["\"\\\/\b\f\n\r\t"])", R"(["\"\\/\b\f\n\r\t"])"},
    {"slash as it is", R"(["/"])", R"(["/"])"},
    {"letter by number", R"(["\u0041"])", R"(["A"])"},
    {"control by number", R"(["\u0012"])", R"(["\u0012"])"},
    {"NUL by number", R"(["\u0000"])", R"(["\u0000"])"},
    {"two bytes by number", R"(["\u00e9"])", "[\"\xC3\xA9\"]"},
    {"three bytes by number", R"(["\u4E2d"])", "[\"\xE4\xB8\xAD\"]"},
    {"pair of surrogates", R"(["\ud83d\ude00"])", "[\"\xF0\x9F\x98\x80\"]"},
    {"pair in capitals", R"(["\uD83D\uDE00"])", "[\"\xF0\x9F\x98\x80\"]"},
    {"last pair", R"(["\uDBFF\uDFFF"])", "[\"\xF4\x8F\xBF\xBF\"]"},
    {"first pair", R"(["\uD800\uDC00"])", "[\"\xF0\x90\x80\x80\"]"},
    {"two pairs", R"(["\ud83d\ude00\ud83d\ude01"])", "[\"\xF0\x9F\x98\x80\xF0\x9F\x98\x81\"]"},
    {"just below the surrogates", R"(["\uD7FF"])", "[\"\xED\x9F\xBF\"]"},
    {"just above the surrogates", R"(["\uE000"])", "[\"\xEE\x80\x80\"]"},
    {"noncharacter by number", R"(["\uFFFF"])", "[\"\xEF\xBF\xBF\"]"},
    {"byte order mark by number", R"(["\uFEFF"])", "[\"\xEF\xBB\xBF\"]"},
    {"escaped backslash before u", R"(["\\u0000"])", R"(["\\u0000"])"},
    {"digits after an escape", R"(["\u00410"])", R"(["A0"])"},
    {"U+0080", "[\"\xC2\x80\"]", "[\"\xC2\x80\"]"},
    {"U+07FF", "[\"\xDF\xBF\"]", "[\"\xDF\xBF\"]"},
    {"U+0800", "[\"\xE0\xA0\x80\"]", "[\"\xE0\xA0\x80\"]"},
    {"U+FFFF", "[\"\xEF\xBF\xBF\"]", "[\"\xEF\xBF\xBF\"]"},
    {"U+10000", "[\"\xF0\x90\x80\x80\"]", "[\"\xF0\x90\x80\x80\"]"},
    {"U+10FFFF", "[\"\xF4\x8F\xBF\xBF\"]", "[\"\xF4\x8F\xBF\xBF\"]"},
    {"byte order mark inside", "[\"\xEF\xBB\xBF\"]", "[\"\xEF\xBB\xBF\"]"},
    {"line separator U+2028", "[\"\xE2\x80\xA8\"]", "[\"\xE2\x80\xA8\"]"},
    {"delete", "[\"\x7F\"]", "[\"\x7F\"]"},
    {"apostrophe", R"(["it's"])", R"(["it's"])"},
    {"comment inside", R"(["/* a */ // b"])", R"(["/* a */ // b"])"},
    {"brackets inside", R"(["[{]}"])", R"(["[{]}"])"},
    {"text in Greek", "[\"\xCE\xB1\xCE\xB2\xCE\xB3\"]", "[\"\xCE\xB1\xCE\xB2\xCE\xB3\"]"},
};

}  // namespace

std::vector<JsonCase> mustAcceptCases() {
    std::vector<JsonCase> cases;
    for (const auto* list : {&kStructures, &kNumbers, &kStrings})
        cases.insert(cases.end(), list->begin(), list->end());
    const std::string letters(100'000, 'a');
    cases.push_back({"100,000 letters", "[\"" + letters + "\"]", "[\"" + letters + "\"]"});
    std::string many = "[0";
    for (int i = 1; i < 10'000; ++i)
        many += "," + std::to_string(i);
    cases.push_back({"10,000 elements", many + "]", many + "]"});
    std::string printable;
    for (char c = ' '; c < '\x7F'; ++c)
        if (c != '"' && c != '\\')
            printable += c;
    cases.push_back({"printable ASCII", "[\"" + printable + "\"]", "[\"" + printable + "\"]"});
    return cases;
}
