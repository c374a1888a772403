#include <fmt/format.h>

#include "tests/base/json_conformance/cases.h"

using namespace std::string_literals;

namespace {

const std::vector<std::string> kStructures = {
    // commas and colons
    "[1,]",
    "[,1]",
    "[,]",
    "[1,,2]",
    "[1,,]",
    R"({"a":1,})",
    "{,}",
    R"({,"a":1})",
    R"({"a":1,,"b":2})",
    ",",
    ":",
    "[1 2]",
    R"(["a" "b"])",
    "[1:2]",
    "[[] []]",
    R"({"a" 1})",
    R"({"a"::1})",
    R"({"a",1})",
    R"({"a"=1})",
    R"({"a":1 "b":2})",
    R"({"a":})",
    "{:1}",
    R"({"a":1:2})",
    R"({"a"})",
    R"({"a":,})",
    R"({"a":1;"b":2})",
    R"({"a"=>1})",
    R"(["a":1])",
    R"("a":1)",
    R"("a",1)",
    "1,2",
    "[1;2]",
    // keys that are no strings
    "{a:1}",
    "{1:1}",
    "{'a':1}",
    "{null:1}",
    "{true:1}",
    "{[]:1}",
    "{{}:1}",
    R"({"a":1,b:2})",
    "{-1:1}",
    "{1}",
    // brackets
    "[}",
    "{]",
    "[1}",
    R"({"a":1])",
    "]",
    "}",
    "[]]",
    "{}}",
    "[[]",
    R"({"a":{})",
    "[{]}",
    "(1)",
    "<1>",
    "[(1)]",
    "[1",
    "[[[",
    R"({"a":[)",
    R"([{"a":1)",
    "[1]]",
    R"({"a":1}})",
    // more than one value
    "1 2",
    "[] []",
    "{}{}",
    "{} {}",
    "[]x",
    "[],",
    R"("""")",
    "nullnull",
    "true false",
    "[]#",
    R"("a" "b")",
    "[]null",
    "1 []",
    "{}[]",
    R"({"a":1}{"b":2})",
    "[]\"",
    // comments
    "/**/1",
    "1/**/",
    "[1/*a*/]",
    "//a\n1",
    "1//a",
    "#a\n1",
    "[]#a",
    R"({"a":/*b*/1})",
    "--a\n1",
    "[1]//",
    "/",
    // other notations
    "<a/>",
    "a",
    "*",
    "@",
    "$",
    "%YAML",
    "---",
    "a: 1",
    "'a'",
    "`a`",
    "['a']",
    R"(\u0031)",
    R"([\n])",
    R"([\u0020])",
    "[1]\\",
    "(",
    "\xE2\x80\x9C"
    "a"
    "\xE2\x80\x9D",
    "\xC3\xA5",
    "&amp;",
    "1=1",
    R"({"a":b})",
    "[a]",
    "[\"a]",
    "[a\"]",
};

const std::vector<std::string> kLiterals = {
    "True",      "TRUE",     "tRue",   "False", "FALSE",    "None",      "NULL",      "Null", "nil",
    "undefined", "NaN",      "nan",    "-NaN",  "Infinity", "-Infinity", "+Infinity", "Inf",  "-Inf",
    "truee",     "nulls",    "tru",    "fals",  "nul",      "t",         "f",         "n",    "tru e",
    "true1",     "nulltrue", "[trux]", "[nul]", "[falsy]",  "yes",       "on",
};

const std::vector<std::string> kNumbers = {
    "+1",
    "++1",
    "--1",
    "-+1",
    "+-1",
    ".5",
    "-.5",
    "+.5",
    "1.",
    "-1.",
    "0.",
    "1.e1",
    "0.e1",
    "01",
    "-01",
    "00",
    "-00",
    "012",
    "-012.5",
    "0x1",
    "0X1F",
    "-0x1",
    "1_000",
    "0b1",
    "0o7",
    "1e",
    "1E",
    "1e+",
    "1e-",
    "0e",
    "0e+",
    "1e1.5",
    "1ee1",
    "1e++1",
    "1e+-1",
    "1e1e1",
    "1 e1",
    "1e 1",
    "1 .5",
    "1. 5",
    "- 1",
    "-",
    "--",
    "1.5.5",
    "1..5",
    "1a",
    "1f",
    "1n",
    "1L",
    "1/2",
    "1%",
    "$1",
    ".",
    "-.",
    "e1",
    "-e1",
    ".e1",
    "1-",
    "1-1",
    "1+1",
    "1.5e",
    "1.5e+",
    "1.a",
    "1ea",
    "1'000",
    "\xE2\x88\x92"
    "1",
    "\xEF\xBC\x91",
    "1e"
    "\xD9\xA3",
    "0 1",
    "-a",
    "-true",
};

const std::vector<std::string> kStrings = {
    R"("\a")",
    R"("\v")",
    R"("\0")",
    R"("\1")",
    R"("\e")",
    R"("\z")",
    R"("\x41")",
    R"("\'")",
    R"("\ ")",
    R"("\")",
    R"("\U0041")",
    R"("\N")",
    R"("\u")",
    R"("\u0")",
    R"("\u00")",
    R"("\u004")",
    R"("\u12G4")",
    R"("\u{41}")",
    R"("\u+041")",
    R"("\u-041")",
    R"("\u 041")",
    R"("\ux041")",
    R"("\u00 41")",
    R"("\u004)",
    "\"\\\xC3\xA9\"",
    R"("\\\")",
    R"("\"")"
    R"(")",
    R"("a)",
    R"(a")",
    R"(")",
    R"("a"b")",
    R"(""a)",
    R"("\uD800\u")",
    R"("\uD800\uD")",
    R"("\uD83D\x")",
    "\"\\\n\"",
    "\"\\u00\xC3\xA9\"",
    R"({"\a":1})",
    R"({"a)",
    R"({"a\":1})",
};

/// Blanks of other grammars, before and behind a value.
const std::vector<std::string> kForeignBlanks = {
    "\f",           "\v",           "\b",           "\x01",         "\x1B",
    "\x7F",         "\xC2\x85",     "\xC2\xA0",     "\xE2\x80\x83", "\xE2\x80\xA8",
    "\xE2\x81\xA0", "\xE3\x80\x80", "\xE1\x9A\x80", "\xEF\xBB\xBF",
};

/// Bytes that are no UTF-8, outside of strings.
const std::vector<std::string> kBadBytes = {"\xFF",     "\xFE",     "\x80",    "\xC3",
                                            "\xE2\x82", "\xF0\x9F", "\xC0\xAF"};

std::string repeated(const std::string& text, int count) {
    std::string out;
    out.reserve(text.size() * static_cast<size_t>(count));
    for (int i = 0; i < count; ++i)
        out += text;
    return out;
}

}  // namespace

std::vector<JsonCase> mustRefuseCases() {
    std::vector<JsonCase> cases;
    const auto add = [&](const std::string& name, const std::string& text) {
        cases.push_back({name, text, ""});
    };
    for (const auto* list : {&kStructures, &kLiterals, &kNumbers, &kStrings})
        for (const std::string& text : *list)
            add("text " + text, text);
    add("nothing", "");
    add("only blanks", " \t\r\n");
    for (const std::string& blank : kForeignBlanks) {
        // A byte order mark before a text is one of the cases that are decided here.
        if (blank != "\xEF\xBB\xBF")
            add("foreign blank before", blank + "1");
        add("foreign blank behind", "1" + blank);
        add("foreign blank inside", "[" + blank + "1]");
    }
    for (const std::string& bytes : kBadBytes) {
        add("bad byte in an array", "[" + bytes + "]");
        add("bad byte in an object", "{\"a\":" + bytes + "}");
        add("bad byte behind", "[]" + bytes);
    }
    for (int code = 0; code < 0x20; ++code) {
        const std::string control(1, static_cast<char>(code));
        add(fmt::format("control {} in a string", code), "\"a" + control + "b\"");
        add(fmt::format("control {} in a key", code), "{\"" + control + "\":1}");
    }
    const std::string document = R"({"k":[-1.5e+3,"x\u00e9\n",true,false,null]})";
    for (size_t size = 1; size < document.size(); ++size)
        add(fmt::format("the first {} bytes of a document", size), document.substr(0, size));
    add("100,000 open arrays", std::string(100'000, '['));
    add("50,000 open objects and arrays", repeated("{\"\":[", 50'000));
    add("a string that is open for 100,000 bytes", "\"" + std::string(100'000, 'a'));
    return cases;
}
