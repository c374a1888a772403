#include "tests/support/hostile_frames.h"

#include <fmt/format.h>

namespace spd::test {
namespace {

using Cases = std::vector<SafetensorsCase>;
using namespace std::string_literals;

void add(Cases& cases, const std::string& rule, const std::string& what, const std::string& bytes,
         const std::string& says, uint64_t file_bytes = 0) {
    cases.push_back({rule, what, [bytes] { return bytes; }, ErrorKind::file_format, says, file_bytes});
}

void addLengths(Cases& cases) {
    for (size_t size = 0; size < 8; ++size)
        add(cases, "S1", fmt::format("{} bytes", size), std::string(size, '\1'), "takes 8");
    add(cases, "S2", "length 0", littleEndian(0), "header length 0");
    add(cases, "S3", "length 1", littleEndian(1) + "{", "header length 1");
    add(cases, "S4", "length 100,000,001", littleEndian(100'000'001) + "{", "the limit is 100000000",
        200'000'000);
    add(cases, "S5", "length past the end", littleEndian(100) + "{}", "only 2 bytes");
    for (uint64_t length : {uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7})
        add(cases, "S6", fmt::format("length {}", length), littleEndian(length) + "{}", "header length");
    const std::string header = "{" + tensorJson("a", "\"F32\"", "[2]", "[0,8]") + "}";
    add(cases, "S7", "ends inside the header", littleEndian(header.size()) + header.substr(0, 20),
        "bytes behind it");
    // Lengths whose first bytes are those of JSON text, of a pickle, of gzip, of UTF-16.
    for (uint64_t length : {123U, 0x280U, 0x8B1FU, 0xFEFFU, 0x10005U})
        add(cases, "S7", fmt::format("ends inside a header of {} bytes", length), littleEndian(length) + "{",
            fmt::format("header length {}, but", length));
}

void addOtherFormats(Cases& cases) {
    const std::string pad(200, ' ');
    const auto other = [&](const std::string& what, const std::string& start, const std::string& says) {
        add(cases, "S8", what, start + pad, "not a safetensors file but " + says);
    };
    other("Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS");
    other("Xet pointer", "# xet version 0\nfilesize = 3\n", "a Xet");
    for (const std::string start : {"<!DOCTYPE html><html>", "<html><head>", "<!Doctype html>", "<HTML>",
                                    "\n<!DOCTYPE html>", "\r\n\t  <html>", "\xEF\xBB\xBF<!doctype html>"})
        other("HTML page " + printable(start), start, "an HTML page");
    other("error page of S3", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>",
          "XML, perhaps the error page");
    other("error text of a server", "Entry not found", "text that starts \"Entry not found");
    other("JSON without a length", "{\"a\": 1}", "JSON text");
    other("zip", "PK\x03\x04\x14\x00\x00\x00\x08\x00"s, "a zip archive");
    other("pickle of protocol 2", "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20"s, "a pickle");
    other("pickle of protocol 4", "\x80\x04\x95\xc9\x3b\x00\x00\x00\x00\x00\x00"s, "a pickle");
    other("GGUF", "GGUF\x03\x00\x00\x00\x01"s, "a GGUF model");
    other("HDF5", "\x89HDF\r\n\x1a\n"s, "HDF5");
    other("zstd", "\x28\xB5\x2F\xFD\x04\x58\x41\x00"s, "zstd");
    other("zstd, few bytes of a length", "\x28\xB5\x2F\xFD\x00\x00\x00\x00"s, "zstd");
    other("xz", "\xFD\x37zXZ\x00\x00\x04"s, "xz");
    other("gzip with a time", "\x1F\x8B\x08\x00\x5C\x9D\x66\x65\x00\x03"s, "gzip");
    other("gzip of a short file without a time", "\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03"s, "gzip");
    // Its first 8 bytes are a good length, 559,903.
    add(cases, "S8", "gzip of 600,000 bytes without a time",
        "\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03"s + std::string(600'000, 'z'),
        "not a safetensors file but gzip");
}

}  // namespace

void addHostileFrames(Cases& cases) {
    addLengths(cases);
    addOtherFormats(cases);
}

}  // namespace spd::test
