#include "tests/support/hostile_bombs.h"

#include <fmt/format.h>

namespace spd::test {
namespace {

using Cases = std::vector<SafetensorsCase>;

void add(Cases& cases, const std::string& rule, const std::string& what, std::function<std::string()> bytes,
         const std::string& says, uint64_t file_bytes = 0) {
    cases.push_back({rule, what, std::move(bytes), ErrorKind::file_format, says, file_bytes});
}

/// The format's own structure ends at the third bracket: deeper ones are refused where they begin, not only
/// at the limit of 8.
void addNestings(Cases& cases) {
    struct Nesting {
        std::string before;  ///< the brackets
        size_t allowed;      ///< lists that may begin there
    };
    const std::vector<Nesting> nestings = {{"{\"a\":", 0},
                                           {"{\"a\":{\"dtype\":", 0},
                                           {"{\"a\":{\"shape\":", 1},
                                           {"{\"a\":{\"data_offsets\":", 1},
                                           {"{\"__metadata__\":", 0},
                                           {"{\"__metadata__\":{\"k\":", 0}};
    for (const auto& [before, allowed] : nestings)
        for (const size_t depth : {size_t{9}, size_t{100'000}}) {
            const std::string file = safetensorsFile(before + std::string(depth, '['));
            add(
                cases, "S15", fmt::format("{} lists in {}", depth, before), [file] { return file; },
                fmt::format("header: byte {}: ", before.size() + allowed + 1));
        }
    for (const std::string before : {"{\"a\":{\"shape\":", "{\"__metadata__\":{\"k\":"}) {
        std::string header = before;
        for (int i = 0; i < 9; ++i)
            header += "{\"b\":";
        add(
            cases, "S15", "9 objects in " + before, [header] { return safetensorsFile(header); },
            fmt::format("header: byte {}: ", before.size() + 1));
    }
}

/// A header that begins with `start` and repeats `part`.
std::string repeated(std::string start, const std::string& part, int count) {
    start.reserve(start.size() + part.size() * static_cast<size_t>(count));
    for (int i = 0; i < count; ++i)
        start += part;
    return safetensorsFile(start);
}

std::string manyTensors(size_t count) {
    std::string header = "{";
    for (size_t i = 0; i < count; ++i)
        header += fmt::format("{}\"{}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                              i == 0 ? "" : ",", i);
    return safetensorsFile(header + "}");
}

/// Ten million sound entries take more than the 100,000,000 bytes that a header may have: of what fits, each
/// is read up to the limit.
void addBombs(Cases& cases) {
    for (const size_t count : {size_t{1'000'001}, size_t{1'700'000}})
        add(
            cases, "S19", fmt::format("{} tensors", count), [count] { return manyTensors(count); },
            "more than 1000000 tensors");
    // Of 58 bytes each, behind a hole.
    add(
        cases, "S4", "10,000,000 tensors", [] { return littleEndian(580'000'000) + "{"; },
        "the limit is 100000000", 580'000'008);
    add(
        cases, "S19", "9,000,000 empty entries", [] { return repeated("{\"0\":{}", ",\"b\":{}", 9'000'000); },
        "is missing");
    add(
        cases, "S19", "40,000,000 dimensions",
        [] { return repeated("{\"a\":{\"shape\":[1", ",1", 40'000'000); }, "more than 8");
}

}  // namespace

void addHostileBombs(Cases& cases) {
    addNestings(cases);
    addBombs(cases);
}

}  // namespace spd::test
