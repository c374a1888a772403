#include "tests/support/hostile_safetensors.h"

#include <fmt/format.h>

#include "tests/support/hostile_bombs.h"
#include "tests/support/hostile_frames.h"

namespace spd::test {
namespace {

using Cases = std::vector<SafetensorsCase>;
using namespace std::string_literals;

void add(Cases& cases, const std::string& rule, const std::string& what, const std::string& bytes,
         const std::string& says, ErrorKind kind = ErrorKind::file_format) {
    cases.push_back({rule, what, [bytes] { return bytes; }, kind, says, 0});
}

/// A header with this text and 8 bytes of data behind it.
void addHeader(Cases& cases, const std::string& rule, const std::string& what, const std::string& header,
               const std::string& says, ErrorKind kind = ErrorKind::file_format) {
    add(cases, rule, what, safetensorsFile(header, std::string(8, 'x')), says, kind);
}

/// A header of one tensor "a" of 8 bytes with one part replaced.
void addEntry(Cases& cases, const std::string& rule, const std::string& what, const std::string& dtype,
              const std::string& shape, const std::string& offsets, const std::string& says,
              ErrorKind kind = ErrorKind::file_format) {
    addHeader(cases, rule, what, "{" + tensorJson("a", dtype, shape, offsets) + "}", says, kind);
}

const std::string good_entry = tensorJson("a", "\"F32\"", "[2]", "[0,8]");

void addTexts(Cases& cases) {
    const std::vector<std::pair<std::string, std::string>> invalid = {{"0xFF", "\xFF"},
                                                                      {"overlong", "\xC0\xAF"},
                                                                      {"surrogate bytes", "\xED\xA0\x80"},
                                                                      {"cut sequence", "\xE2\x82"}};
    for (const auto& [what, bytes] : invalid)
        addHeader(cases, "S9", what, "{\"" + bytes + "\":1}", "UTF-8");
    addHeader(cases, "S10", "byte order mark", "\xEF\xBB\xBF{" + good_entry + "}", "does not start with {");
    for (const std::string start : {"\v", "\xC2\xA0", "x", "\0"})
        addHeader(cases, "S11",
                  "starts with " + fmt::format("{:02x}", static_cast<unsigned char>(start.c_str()[0])),
                  (start.empty() ? "\0"s : start) + "{" + good_entry + "}", "does not start with {");
    addHeader(cases, "S11", "only blanks", "    ", "does not start with {");
    addHeader(cases, "S12", "text after the brace", "{" + good_entry + "} x", "expected end of input");
    addHeader(cases, "S12", "second object", "{" + good_entry + "}{}", "expected end of input");
    addHeader(cases, "S12", "NUL padding", "{" + good_entry + "}" + std::string(5, '\0'), "NUL");
    for (const std::string text : {"{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{/**/}", "{\"a\":NaN}",
                                   "{'a':1}", "{a:1}", "{\"a\":Infinity}", "{\"a\":0x1}", "{\"a\":tru}"})
        addHeader(cases, "S13", text, text, "byte");
    addHeader(cases, "S13", "trailing comma behind a tensor", "{" + good_entry + ",}", "byte");
    for (const std::string text : {"[]", "\"a\"", "12", "null", "[{}]"})
        addHeader(cases, "S14", text, text, "does not start with {");
    addHeader(cases, "S16", "tensor twice",
              "{" + tensorJson("a", "\"U8\"", "[4]", "[0,4]") + "," +
                  tensorJson("a", "\"U8\"", "[4]", "[4,8]") + "}",
              "used twice");
    addHeader(cases, "S16", "tensor twice by an escape",
              "{" + tensorJson("a", "\"U8\"", "[4]", "[0,4]") + "," +
                  tensorJson("\\u0061", "\"U8\"", "[4]", "[4,8]") + "}",
              "used twice");
    addHeader(cases, "S17", "metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}," + good_entry + "}",
              "twice");
    addHeader(cases, "S17", "metadata twice, once null",
              "{\"__metadata__\":null,\"__metadata__\":{}," + good_entry + "}", "twice");
    for (const std::string key : {"\"dtype\":\"F32\"", "\"shape\":[2]", "\"data_offsets\":[0,8]"})
        addHeader(cases, "S18", key,
                  "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]," + key + "}}",
                  "appears twice");
}

void addNames(Cases& cases) {
    for (const std::string name : {"", "a\\u0000b", "\\n", "\\u001f", "\\u007f"})
        addHeader(cases, "S19", "name \"" + name + "\"",
                  "{" + tensorJson(name, "\"F32\"", "[2]", "[0,8]") + "}", "tensor name");
    addHeader(cases, "S19", "name of 1,025 bytes",
              "{" + tensorJson(std::string(1025, 'n'), "\"F32\"", "[2]", "[0,8]") + "}", "tensor name");
}

void addEntries(Cases& cases) {
    addHeader(cases, "S20", "no dtype", "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "dtype is missing");
    addHeader(cases, "S20", "no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}",
              "shape is missing");
    addHeader(cases, "S20", "no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}",
              "data_offsets is missing");
    addHeader(cases, "S20", "empty entry", "{\"a\":{}}", "is missing");
    addHeader(cases, "S21", "unknown key",
              "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"strides\":[1]}}",
              "unknown key");
    for (const std::string value : {"null", "1", "1.5", "true", "\"x\"", "[]"})
        addHeader(cases, "S22", "entry is " + value, "{\"a\":" + value + "}", "must be an object");
    for (const std::string value : {"null", "1", "true", "[]", "{}", "[\"F32\"]"})
        addEntry(cases, "S22", "dtype is " + value, value, "[2]", "[0,8]", "dtype must be a string");
    for (const std::string value : {"null", "2", "true", "\"2\"", "{}"})
        addEntry(cases, "S22", "shape is " + value, "\"F32\"", value, "[0,8]", "shape must be a list");
    for (const std::string value : {"[null]", "[true]", "[[2]]", "[{}]"})
        addEntry(cases, "S22", "shape is " + value, "\"F32\"", value, "[0,8]", "a dimension must be");
    for (const std::string value : {"null", "8", "\"0,8\"", "{}"})
        addEntry(cases, "S22", "offsets are " + value, "\"F32\"", "[2]", value,
                 "data_offsets must be a list");
    for (const std::string type : {"F31", "f32", "float32", "", "BOOL8"})
        addEntry(cases, "S23", "dtype " + type, "\"" + type + "\"", "[2]", "[0,8]", "unknown dtype");
    for (const std::string type :
         {"F4", "F6_E2M3", "F6_E3M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64"})
        addEntry(cases, "S23", "dtype " + type, "\"" + type + "\"", "[1]", "[0,8]",
                 "dtype " + type + " is not supported", ErrorKind::unsupported_model);
    for (const std::string value :
         {"-1", "-0", "2.0", "1e0", "\"2\"", "9223372036854775808", "18446744073709551616"})
        addEntry(cases, "S24", "dimension " + value, "\"F32\"", "[" + value + "]", "[0,8]",
                 value == "9223372036854775808" ? "above 2^63 - 1" : "a dimension must be");
    addEntry(cases, "S25", "9 dimensions", "\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]", "more than 8");
    addEntry(cases, "S26", "product 2^64 - 2", "\"U8\"", "[2,9223372036854775807]", "[0,8]", "overflows");
    addEntry(cases, "S26", "dimension 2^64 - 2", "\"U8\"", "[2,18446744073709551614]", "[0,8]",
             "above 2^63 - 1");
    addEntry(cases, "S26", "product 2^64", "\"U8\"", "[4294967296,4294967296]", "[0,0]", "overflows");
    addEntry(cases, "S27", "2^61 x 4 bytes", "\"F32\"", "[2305843009213693952]", "[0,8]", "overflows");
    addEntry(cases, "S27", "2^60 x 8 bits", "\"U8\"", "[1152921504606846976]", "[0,8]", "overflows");
    addEntry(cases, "S28", "0 last", "\"U8\"", "[4611686018427387904,4,0]", "[0,0]", "overflows");
    addEntry(cases, "S28", "0 first", "\"U8\"", "[0,4611686018427387904,4]", "[0,0]", "overflows");
    addEntry(cases, "S29", "3 x 4 bits", "\"F4\"", "[3]", "[0,2]", "F4 is not supported",
             ErrorKind::unsupported_model);
}

std::string twoTensors(const std::string& a, const std::string& b) {
    return "{" + tensorJson("a", "\"U8\"", "[4]", a) + "," + tensorJson("b", "\"U8\"", "[4]", b) + "}";
}

void addOffsets(Cases& cases) {
    addEntry(cases, "S30", "begin behind end", "\"F32\"", "[2]", "[8,0]", "behind their end");
    addEntry(cases, "S31", "end past the data", "\"F32\"", "[4]", "[0,16]", "the file has 8");
    addEntry(cases, "S32", "too short", "\"F32\"", "[2]", "[0,7]", "span 7 bytes");
    addEntry(cases, "S32", "too long", "\"F32\"", "[1]", "[0,8]", "span 8 bytes");
    addHeader(cases, "S33", "overlap", twoTensors("[0,4]", "[2,6]"), "overlap");
    addHeader(cases, "S33", "identical ranges", twoTensors("[0,4]", "[0,4]"), "overlap");
    addHeader(cases, "S33", "one inside another",
              "{" + tensorJson("a", "\"U8\"", "[8]", "[0,8]") + "," +
                  tensorJson("b", "\"U8\"", "[2]", "[2,4]") + "}",
              "overlap");
    addEntry(cases, "S34", "hole at the start", "\"U8\"", "[4]", "[4,8]", "belong to no tensor");
    addHeader(cases, "S34", "hole between",
              "{" + tensorJson("a", "\"U8\"", "[2]", "[0,2]") + "," +
                  tensorJson("b", "\"U8\"", "[4]", "[4,8]") + "}",
              "2 bytes before it");
    addEntry(cases, "S34", "hole at the end", "\"U8\"", "[4]", "[0,4]", "4 extra bytes");
    addHeader(cases, "S35", "bytes after no tensor", "{}", "8 extra bytes");
    add(cases, "S35", "zip behind the last tensor",
        safetensorsFile("{" + good_entry + "}", "12345678PK\x05\x06"), "4 extra bytes");
    for (const std::string offsets : {"[]", "[0]", "[0,8,8]"})
        addEntry(cases, "S36", "offsets " + offsets, "\"F32\"", "[2]", offsets, "must have 2");
    for (const std::string offsets :
         {"[0.0,8]", "[0,8e0]", "[\"0\",8]", "[0,null]", "[-8,0]", "[-0,8]", "[0,[8]]"})
        addEntry(cases, "S37", "offsets " + offsets, "\"F32\"", "[2]", offsets, "an offset must be");
    addEntry(cases, "S37", "offset 2^63", "\"F32\"", "[2]", "[0,9223372036854775808]", "above 2^63 - 1");
    addEntry(cases, "S37", "offset 2^64", "\"F32\"", "[2]", "[0,18446744073709551616]", "an offset must be");
    addEntry(cases, "S38", "empty tensor of 8 bytes", "\"F32\"", "[0]", "[0,8]", "span 8 bytes");
    addEntry(cases, "S38", "empty tensor of 8 bytes in 2 dimensions", "\"F32\"", "[2,0]", "[0,8]",
             "span 8 bytes");
}

void addMetadata(Cases& cases) {
    for (const std::string value : {"1", "\"pt\"", "[]", "true"})
        addHeader(cases, "S40", "metadata is " + value, "{\"__metadata__\":" + value + "," + good_entry + "}",
                  "__metadata__ must be an object");
    for (const std::string value : {"1", "null", "true", "[]", "{}", "1.5"})
        addHeader(cases, "S41", "value " + value,
                  "{\"__metadata__\":{\"format\":" + value + "}," + good_entry + "}", "must be a string");
    addHeader(cases, "S42", "1 MiB and 1 byte",
              "{\"__metadata__\":{\"k\":\"" + std::string(1 << 20, 'v') + "\"}," + good_entry + "}",
              "more than 1048576");
}

}  // namespace

std::string littleEndian(uint64_t value) {
    std::string bytes(8, '\0');
    for (size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<char>((value >> (8 * i)) & 0xFF);
    return bytes;
}

std::string safetensorsFile(const std::string& header, const std::string& data) {
    return littleEndian(header.size()) + header + data;
}

std::string tensorJson(const std::string& name, const std::string& dtype, const std::string& shape,
                       const std::string& offsets) {
    return fmt::format("\"{}\":{{\"dtype\":{},\"shape\":{},\"data_offsets\":{}}}", name, dtype, shape,
                       offsets);
}

std::vector<SafetensorsCase> safetensorsToRefuse() {
    Cases cases;
    addHostileFrames(cases);
    addHostileBombs(cases);
    addTexts(cases);
    addNames(cases);
    addEntries(cases);
    addOffsets(cases);
    addMetadata(cases);
    return cases;
}

std::vector<SafetensorsCase> safetensorsToAccept() {
    Cases cases;
    add(cases, "accept", "no tensors", safetensorsFile("{}"), "");
    add(cases, "accept", "rank 0",
        safetensorsFile("{" + tensorJson("a", "\"F32\"", "[]", "[0,4]") + "}", "1234"), "");
    add(cases, "accept", "dimension 0",
        safetensorsFile("{" + tensorJson("e", "\"F32\"", "[3,0]", "[0,0]") + "," + good_entry + "}",
                        "12345678"),
        "");
    add(cases, "accept", "dimension 0 between",
        safetensorsFile("{" + tensorJson("z", "\"U8\"", "[4]", "[4,8]") + "," +
                            tensorJson("e", "\"F32\"", "[0]", "[4,4]") + "," +
                            tensorJson("a", "\"U8\"", "[4]", "[0,4]") + "}",
                        "12345678"),
        "");
    add(cases, "accept", "keys in another order",
        safetensorsFile("{\"a\":{\"data_offsets\":[0,8],\"shape\":[2],\"dtype\":\"F32\"}}", "12345678"), "");
    for (const std::string blanks : {" ", "   ", "\t\r\n "}) {
        add(cases, "accept", "blanks behind", safetensorsFile("{" + good_entry + "}" + blanks, "12345678"),
            "");
        add(cases, "S11", "blanks before", safetensorsFile(blanks + "{" + good_entry + "}", "12345678"), "");
    }
    add(cases, "accept", "metadata null",
        safetensorsFile("{\"__metadata__\":null," + good_entry + "}", "12345678"), "");
    add(cases, "accept", "metadata empty",
        safetensorsFile("{" + good_entry + ",\"__metadata__\":{}}", "12345678"), "");
    add(cases, "accept", "metadata",
        safetensorsFile("{\"__metadata__\":{\"format\":\"pt\"}," + good_entry + "}", "12345678"), "");
    add(cases, "accept", "header of 71 bytes", safetensorsFile("{" + good_entry + "}", "12345678"), "");
    add(cases, "S25", "8 dimensions",
        safetensorsFile("{" + tensorJson("a", "\"F32\"", "[1,1,1,1,1,1,1,2]", "[0,8]") + "}", "12345678"),
        "");
    add(cases, "S39", "float32 at byte 1",
        safetensorsFile("{" + tensorJson("a", "\"U8\"", "[1]", "[0,1]") + "," +
                            tensorJson("f", "\"F32\"", "[2]", "[1,9]") + "}",
                        "x12345678"),
        "");
    add(cases, "S19", "name of 1,024 bytes",
        safetensorsFile("{" + tensorJson(std::string(1024, 'n'), "\"F32\"", "[2]", "[0,8]") + "}",
                        "12345678"),
        "");
    add(cases, "S42", "1 MiB of metadata",
        safetensorsFile(
            "{\"__metadata__\":{\"k\":\"" + std::string((1 << 20) - 1, 'v') + "\"}," + good_entry + "}",
            "12345678"),
        "");
    return cases;
}

}  // namespace spd::test
