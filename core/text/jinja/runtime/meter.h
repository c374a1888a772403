#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace spd::jinja {

// What a template may cost. Real templates need some hundred steps a message.
inline constexpr size_t max_template_bytes = size_t{1} << 20;
inline constexpr size_t max_output_bytes = size_t{8} << 20;  // also the longest string a template can build
inline constexpr int max_parse_depth = 128;       // nested blocks and expressions, chains of operators
inline constexpr int max_call_depth = 64;         // macros and recursive loops inside one another
inline constexpr int max_evaluation_depth = 400;  // nodes being evaluated at once: bounds the C++ stack
inline constexpr int max_value_depth = 64;        // lists and dicts inside one another
inline constexpr size_t max_steps = 1'000'000;
inline constexpr size_t max_range = 100'000;  // items of range(), as Jinja's sandbox has it

/// A rule that the template or its input broke. `line` is 0 where only the evaluator knows it.
class Fault : public std::runtime_error {
public:
    explicit Fault(const std::string& rule, int line = 0) : std::runtime_error(rule), line_(line) {}
    int line() const { return line_; }

private:
    int line_;
};

/// Fuel of one render. A node visit is one step; work on long texts and lists costs steps by its size, so
/// that the time and the memory of a render are bounded by `max_steps`, whatever the operations are.
class Meter {
public:
    void step(size_t steps = 1) {
        if (steps > left_)
            throw Fault("needs more than 1,000,000 steps");
        left_ -= steps;
    }
    /// Copying or comparing `count` bytes.
    void bytes(size_t count) { step(count / 128); }
    /// Searching in `count` bytes.
    void search(size_t count) { step(count / 24); }
    /// Work byte by byte: case mapping, escaping, counting characters.
    void slowBytes(size_t count) { step(count / 16); }
    /// Copying, comparing or scanning `count` values.
    void elements(size_t count) { step(count / 4); }
    size_t used() const { return max_steps - left_; }

private:
    size_t left_ = max_steps;
};

}  // namespace spd::jinja
